// openid-client, as published. Started by `python -m tests.clients.run`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as openid from 'openid-client'
import { takeSteps } from './application.mjs'
import { clientId, isInsecure, issuer, secret, user } from './service.mjs'

const execute = isInsecure ? [openid.allowInsecureRequests] : []

const authentications = {
  none: () => openid.None(),
  client_secret_basic: openid.ClientSecretBasic,
  client_secret_post: openid.ClientSecretPost,
}

function discover(method, clientSecret, options) {
  return openid.discovery(issuer, clientId(method), undefined, authentications[method](clientSecret), { execute, ...options })
}

async function connect(method, clientSecret) {
  const config = await discover(method, clientSecret, { algorithm: 'oauth2' })
  return {
    signIn: (credentials) => openid.genericGrantRequest(config, 'password', credentials),
    refresh: (token) => openid.refreshTokenGrant(config, token),
    clientCredentials: () => openid.clientCredentialsGrant(config),
    introspect: (token) => openid.tokenIntrospection(config, token),
    revoke: (token, hint) => openid.tokenRevocation(config, token, { token_type_hint: hint }),
    readMe: (token) => openid.fetchProtectedResource(config, token, new URL('/me', issuer), 'GET'),
  }
}

// A 401 with a challenge is an error of its own kind, whose body is still to be read.
async function refusal({ error, status, response }) {
  return { error: error ?? (await response.json()).error, status }
}

takeSteps(connect, refusal, { introspects: true })

test('its default discovery, which is of OpenID Connect, finds nothing', async () => {
  await assert.rejects(discover('none', undefined, {}), { code: 'OAUTH_RESPONSE_IS_NOT_CONFORM' })
})

test('a secret given without a method goes by form, and is taken', async () => {
  const options = { execute, algorithm: 'oauth2' }
  const config = await openid.discovery(issuer, clientId('client_secret_post'), secret, undefined, options)
  assert.ok((await openid.clientCredentialsGrant(config)).access_token)
})

test('it knows how long the access token is good', async () => {
  const tokens = await (await connect('none')).signIn(user)
  assert.ok(tokens.expiresIn() > 0)
})

test('a protected resource is read with the access token, until that is revoked', async () => {
  const application = await connect('none')
  const { access_token: token } = await application.signIn(user)
  assert.equal((await (await application.readMe(token)).json()).username, user.username)
  await application.revoke(token, 'access_token')
  await assert.rejects(application.readMe(token), (error) => {
    assert.equal(error.status, 401)
    assert.equal(error.cause[0].scheme, 'bearer')
    assert.equal(error.cause[0].parameters.error, 'invalid_token')
    return true
  })
})
