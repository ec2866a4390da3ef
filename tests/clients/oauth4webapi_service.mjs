// A running authsvc, at AUTHSVC_URL, as an application built on oauth4webapi sees it.

import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'

export const issuer = new URL(process.env.AUTHSVC_URL)
export const username = process.env.DEMO_USERNAME
export const password = process.env.DEMO_PASSWORD
const secret = process.env.DEMO_INTROSPECTING_CLIENT_SECRET

export const publicClient = { client_id: process.env.DEMO_PUBLIC_CLIENT_ID }
export const confidentialClient = { client_id: process.env.DEMO_INTROSPECTING_CLIENT_ID }
export const none = oauth.None()
export const basic = oauth.ClientSecretBasic(secret)
export const post = oauth.ClientSecretPost(secret)

// The library takes http only when told to; behind TLS nothing is loosened.
export const options = issuer.protocol === 'http:' ? { [oauth.allowInsecureRequests]: true } : {}

export async function discover() {
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
  return oauth.processDiscoveryResponse(issuer, response)
}

export const as = await discover()

export async function signIn(client, authentication, credentials = { username, password }) {
  const response = await oauth.genericTokenEndpointRequest(as, client, authentication, 'password', credentials, options)
  return oauth.processGenericTokenEndpointResponse(as, client, response)
}

export async function refresh(client, authentication, refreshToken) {
  const response = await oauth.refreshTokenGrantRequest(as, client, authentication, refreshToken, options)
  return oauth.processRefreshTokenResponse(as, client, response)
}

export async function introspect(token, authentication = basic, hint = undefined) {
  const additionalParameters = hint ? { token_type_hint: hint } : undefined
  const response = await oauth.introspectionRequest(as, confidentialClient, authentication, token, {
    additionalParameters,
    ...options,
  })
  return oauth.processIntrospectionResponse(as, confidentialClient, response)
}

export async function revoke(client, authentication, token) {
  const response = await oauth.revocationRequest(as, client, authentication, token, options)
  await oauth.processRevocationResponse(response)
}

export async function clientCredentials(authentication) {
  const parameters = {}
  const response = await oauth.clientCredentialsGrantRequest(as, confidentialClient, authentication, parameters, options)
  return oauth.processClientCredentialsResponse(as, confidentialClient, response)
}

export async function readMe(accessToken) {
  return oauth.protectedResourceRequest(accessToken, 'GET', new URL('/me', issuer), undefined, undefined, options)
}

export function assertUserTokens(tokens) {
  assert.equal(tokens.token_type, 'bearer')
  assert.equal(tokens.scope, 'account')
  assert.ok(tokens.expires_in > 0)
  assert.ok(tokens.access_token)
  assert.ok(tokens.refresh_token)
}

export function assertDescribes(description, client) {
  const now = Math.floor(Date.now() / 1000)
  assert.equal(description.active, true)
  assert.equal(description.client_id, client.client_id)
  assert.equal(description.username, username)
  assert.equal(description.scope, 'account')
  assert.equal(description.token_type, 'Bearer')
  assert.equal(description.iss, as.issuer)
  assert.equal(description.aud, as.issuer)
  assert.ok(description.sub)
  assert.ok(description.jti)
  assert.ok(description.iat <= now + 1)
  assert.ok(description.exp > now)
}

export async function assertDead(token) {
  assert.deepEqual(await introspect(token), { active: false })
}
