// A running authsvc seen without any client under test: where it is, whom it knows, what it says of a token.

import assert from 'node:assert/strict'

export const issuer = new URL(process.env.AUTHSVC_URL)
export const format = process.env.AUTHSVC_TOKEN_FORMAT
// What several libraries ask to be told before they speak http; behind TLS nothing is loosened.
export const isInsecure = issuer.protocol === 'http:'
export const user = { username: process.env.DEMO_USERNAME, password: process.env.DEMO_PASSWORD }
export const secret = process.env.DEMO_INTROSPECTING_CLIENT_SECRET

const publicId = process.env.DEMO_PUBLIC_CLIENT_ID
const confidentialId = process.env.DEMO_INTROSPECTING_CLIENT_ID

export function clientId(method) {
  return method === 'none' ? publicId : confidentialId
}

export async function userToken() {
  const tokens = await ask('/token', { grant_type: 'password', client_id: publicId, ...user })
  return tokens.access_token
}

export async function serviceToken() {
  const credentials = { client_id: confidentialId, client_secret: secret }
  const tokens = await ask('/token', { grant_type: 'client_credentials', ...credentials })
  return tokens.access_token
}

export async function describe(token) {
  return ask('/introspect', { token, client_id: confidentialId, client_secret: secret })
}

async function ask(path, fields) {
  const response = await fetch(new URL(path, issuer), { method: 'POST', body: new URLSearchParams(fields) })
  const answer = await response.json()
  assert.equal(response.status, 200, JSON.stringify(answer))
  return answer
}
