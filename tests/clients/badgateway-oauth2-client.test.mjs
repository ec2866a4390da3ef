// @badgateway/oauth2-client, as published. Started by `python -m tests.clients.run`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'
import { takeSteps } from './application.mjs'
import { clientId, issuer, secret, user } from './service.mjs'

function newClient(method, clientSecret, settings) {
  return new OAuth2Client({
    server: issuer.origin,
    clientId: clientId(method),
    clientSecret: method === 'none' ? undefined : clientSecret,
    ...settings,
  })
}

function connect(method, clientSecret) {
  const client = newClient(method, clientSecret, method === 'none' ? {} : { authenticationMethod: method })
  return {
    signIn: async ({ scope, ...credentials }) => named(await client.password({ scope: scope?.split(' '), ...credentials })),
    refresh: async (refreshToken) => named(await client.refreshToken({ refreshToken })),
    clientCredentials: async () => named(await client.clientCredentials()),
    introspect: (accessToken) => client.introspect({ accessToken }),
    revoke: (token, hint) => client.revoke({ accessToken: token, refreshToken: token }, hint),
  }
}

// The library has names of its own for what it read in the answer.
function named({ accessToken, refreshToken, expiresAt, scope }) {
  return {
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: (expiresAt - Date.now()) / 1000,
    scope: scope?.join(' '),
  }
}

function refusal({ oauth2Code, httpCode }) {
  return { error: oauth2Code, status: httpCode }
}

takeSteps(connect, refusal, { introspects: true })

test('it takes the endpoints and the way to authenticate from the metadata', async () => {
  const client = newClient('client_secret_basic', secret)
  assert.equal((await client.introspect(await client.password(user))).active, true)
  assert.equal(client.settings.authenticationMethod, 'client_secret_basic')
  assert.equal(client.settings.revocationEndpoint, `${issuer.origin}/revoke`)
})

test('by its raw Basic a confidential client signs in too', async () => {
  const client = newClient('client_secret_basic', secret, { authenticationMethod: 'client_secret_basic_interop' })
  assert.ok((await client.password(user)).accessToken)
})

test('OAuth2Fetch refreshes by itself when the access token is dead', async () => {
  const client = newClient('none')
  const first = await client.password(user)
  const wrapper = new OAuth2Fetch({ client, getNewToken: () => assert.fail('signed out'), getStoredToken: () => first, scheduleRefresh: false })
  await client.revoke(first)
  const response = await wrapper.fetch(new URL('/me', issuer).href)
  assert.equal(response.status, 200)
  assert.equal((await response.json()).username, user.username)
  assert.notEqual(await wrapper.getAccessToken(), first.accessToken)
})
