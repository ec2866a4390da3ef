// simple-oauth2, as published. Started by `python -m tests.clients.run`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientCredentials, ResourceOwnerPassword } from 'simple-oauth2'
import { takeSteps } from './application.mjs'
import { clientId, describe, issuer, secret, user } from './service.mjs'

function configuration(method, clientSecret) {
  return {
    client: { id: clientId(method), secret: clientSecret },
    auth: { tokenHost: issuer.origin, tokenPath: '/token', revokePath: '/revoke' },
    // Without a secret there is nothing for a header; the library then sends `client_secret=` in the form.
    options: { authorizationMethod: method === 'client_secret_basic' ? 'header' : 'body' },
  }
}

function connect(method, clientSecret) {
  const config = configuration(method, method === 'none' ? undefined : clientSecret)
  const owner = new ResourceOwnerPassword(config)
  return {
    signIn: async (credentials) => (await owner.getToken(credentials)).token,
    refresh: async (token) => (await owner.createToken({ refresh_token: token }).refresh()).token,
    clientCredentials: async () => (await new ClientCredentials(config).getToken({})).token,
    revoke: (token, hint) => owner.createToken({ [hint]: token }).revoke(hint),
  }
}

function refusal({ data, output }) {
  return { error: data.payload.error, status: output.statusCode }
}

takeSteps(connect, refusal, { introspects: false })

test('by its loose encoding of the header a confidential client signs in too', async () => {
  const config = configuration('client_secret_basic', secret)
  config.options.credentialsEncodingMode = 'loose'
  assert.ok((await new ResourceOwnerPassword(config).getToken(user)).token.access_token)
})

test('an access token about to expire is known as such, and refreshed', async () => {
  const accessToken = await new ResourceOwnerPassword(configuration('client_secret_basic', secret)).getToken(user)
  assert.equal(accessToken.expired(), false)
  assert.equal(accessToken.expired(accessToken.token.expires_in + 1), true)
  const refreshed = await accessToken.refresh()
  assert.equal((await describe(refreshed.token.access_token)).active, true)
})

test('revokeAll ends the access token and the session', async () => {
  const accessToken = await new ResourceOwnerPassword(configuration('client_secret_basic', secret)).getToken(user)
  await accessToken.revokeAll()
  assert.deepEqual(await describe(accessToken.token.access_token), { active: false })
  assert.equal((await accessToken.refresh().then(assert.fail, refusal)).error, 'invalid_grant')
})
