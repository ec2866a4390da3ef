// express-oauth2-jwt-bearer, as published, strict, in Express. Started by `python -m tests.clients.run`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import { askGuarded, takeSteps } from './resource-server.mjs'
import { issuer, userToken } from './service.mjs'

const jwksUri = new URL('/.well-known/jwks.json', issuer).href

function guard({ issuer: trusted, audience } = { issuer: issuer.origin, audience: issuer.origin }) {
  // Named by its URL, the service is found by its metadata; another issuer is one it cannot be mistaken for.
  const keys = trusted === issuer.origin ? { issuerBaseURL: trusted } : { issuer: trusted, jwksUri }
  return auth({ ...keys, audience, strict: true, tokenSigningAlg: 'ES256' })
}

function ask(guards, token) {
  return askGuarded(guards, (request) => request.auth.payload, token)
}

takeSteps((token, options) => ask([guard(options)], token), (error) => error.status === 401)

test('a request without a token meets a challenge without an error', async () => {
  await assert.rejects(ask([guard()]), (error) => {
    assert.equal(error.status, 401)
    assert.match(error.challenge, /^Bearer realm="api"/)
    assert.doesNotMatch(error.challenge, /error=/)
    return true
  })
})

test('requiredScopes admits a scope the token has', async () => {
  assert.equal((await ask([guard(), requiredScopes('account')], await userToken())).scope, 'account')
})

test('requiredScopes refuses a scope the token has not', async () => {
  await assert.rejects(ask([guard(), requiredScopes('everything')], await userToken()), (error) => {
    assert.equal(error.status, 403)
    assert.match(error.challenge, /error="insufficient_scope"/)
    return true
  })
})
