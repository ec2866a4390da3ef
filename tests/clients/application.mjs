// The steps that every application takes, whichever client library it is built on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientId, describe, issuer, secret, user } from './service.mjs'

const DEAD = { active: false }
const METHODS = ['none', 'client_secret_basic', 'client_secret_post']

/**
 * Take them. `connect(method, secret)` returns what the library makes of one client of the service: `signIn`,
 * `refresh`, `clientCredentials`, `revoke` and `introspect`. `refusal(error)` reads the library's error as
 * `{ error, status }`. Not every library `introspects`.
 */
export function takeSteps(connect, refusal, { introspects }) {
  for (const method of METHODS) {
    signsInAndRefreshes(connect, method)
    revokes(connect, refusal, method)
  }
  for (const method of METHODS.slice(1)) {
    actsForItself(connect, refusal, method)
    if (introspects) {
      asksAboutTokens(connect, method)
    }
  }
  isRefused(connect, refusal)
}

function signsInAndRefreshes(connect, method) {
  test(`by ${method}: signs in with a password`, async () => {
    const tokens = await (await connect(method, secret)).signIn(user)
    assertUserTokens(tokens)
    assertDescribes(await describe(tokens.access_token), method)
  })

  test(`by ${method}: refreshes`, async () => {
    const application = await connect(method, secret)
    const first = await application.signIn(user)
    const second = await application.refresh(first.refresh_token)
    assertUserTokens(second)
    assert.notEqual(second.refresh_token, first.refresh_token)
    assert.notEqual(second.access_token, first.access_token)
    assertDescribes(await describe(second.access_token), method)
  })
}

function revokes(connect, refusal, method) {
  test(`by ${method}: revokes an access token and keeps its session`, async () => {
    const application = await connect(method, secret)
    const tokens = await application.signIn(user)
    await application.revoke(tokens.access_token, 'access_token')
    assert.deepEqual(await describe(tokens.access_token), DEAD)
    assertUserTokens(await application.refresh(tokens.refresh_token))
  })

  test(`by ${method}: revokes a refresh token, and the access token dies with it`, async () => {
    const application = await connect(method, secret)
    const tokens = await application.signIn(user)
    await application.revoke(tokens.refresh_token, 'refresh_token')
    assert.deepEqual(await describe(tokens.access_token), DEAD)
    const error = await application.refresh(tokens.refresh_token).then(assert.fail, refusal)
    assert.deepEqual(error, { error: 'invalid_grant', status: 400 })
  })

  test(`by ${method}: revoking a token nobody issued is no error`, async () => {
    await (await connect(method, secret)).revoke('not-a-token', 'access_token')
  })
}

function actsForItself(connect, refusal, method) {
  test(`by ${method}: client_credentials give a live token and no refresh token`, async () => {
    const tokens = await (await connect(method, secret)).clientCredentials()
    assert.equal(tokens.refresh_token ?? undefined, undefined)
    const description = await describe(tokens.access_token)
    assert.equal(description.active, true)
    assert.equal(description.sub, clientId(method))
    assert.equal(description.username, undefined)
  })

  test(`by ${method}: a wrong secret is invalid_client`, async () => {
    const application = await connect(method, 'wrong')
    const error = await application.signIn(user).then(assert.fail, refusal)
    assert.deepEqual(error, { error: 'invalid_client', status: 401 })
  })
}

function asksAboutTokens(connect, method) {
  test(`by ${method}: introspects a live token and a revoked one`, async () => {
    const application = await connect(method, secret)
    const { access_token: token } = await application.signIn(user)
    assertDescribes(await application.introspect(token), method)
    await application.revoke(token, 'access_token')
    assert.deepEqual(await application.introspect(token), DEAD)
  })

  test(`by ${method}: a token nobody issued is inactive, and nothing more is said`, async () => {
    const application = await connect(method, secret)
    assert.deepEqual(await application.introspect('not-a-token'), DEAD)
    assert.deepEqual(await application.introspect(`asvc_at_${'A'.repeat(43)}`), DEAD)
  })
}

function isRefused(connect, refusal) {
  test('a wrong password is invalid_grant', async () => {
    const application = await connect('none')
    const wrong = { ...user, password: 'wrong and long enough' }
    const error = await application.signIn(wrong).then(assert.fail, refusal)
    assert.deepEqual(error, { error: 'invalid_grant', status: 400 })
  })

  test('a scope that may not be had is invalid_scope', async () => {
    const application = await connect('none')
    const error = await application.signIn({ ...user, scope: 'account everything' }).then(assert.fail, refusal)
    assert.deepEqual(error, { error: 'invalid_scope', status: 400 })
  })

  test('a made-up refresh token is invalid_grant', async () => {
    const application = await connect('none')
    const error = await application.refresh('not-a-token').then(assert.fail, refusal)
    assert.deepEqual(error, { error: 'invalid_grant', status: 400 })
  })
}

function assertUserTokens(tokens) {
  assert.equal(tokens.scope, 'account')
  assert.ok(tokens.expires_in > 0)
  assert.ok(tokens.access_token)
  assert.ok(tokens.refresh_token)
}

export function assertDescribes(description, method) {
  const now = Math.floor(Date.now() / 1000)
  assert.equal(description.active, true)
  assert.equal(description.client_id, clientId(method))
  assert.equal(description.username, user.username)
  assert.equal(description.scope, 'account')
  assert.equal(description.token_type, 'Bearer')
  assert.equal(description.iss, issuer.origin)
  assert.equal(description.aud, issuer.origin)
  assert.ok(description.sub)
  assert.ok(description.jti)
  assert.ok(description.iat <= now + 1)
  assert.ok(description.exp > now)
}
