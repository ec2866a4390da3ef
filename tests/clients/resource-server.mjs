// The steps that every resource server takes which checks access tokens itself, by the published keys.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import express from 'express'
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose'
import { clientId, describe, issuer, serviceToken, user, userToken } from './service.mjs'

/**
 * Take them. `verify(token, { issuer, audience })` gives the claims of a token it admits, and rejects every other
 * with an error that `isRefusal`.
 */
export function takeSteps(verify, isRefusal) {
  const here = { issuer: issuer.origin, audience: issuer.origin }

  test("a user's access token is admitted", async () => {
    const token = await userToken()
    const claims = await verify(token, here)
    assert.equal(claims.username, user.username)
    assert.equal(claims.client_id, clientId('none'))
    assert.equal(claims.scope, 'account')
    assert.equal(claims.sub, (await describe(token)).sub)
  })

  test("a service's access token is admitted", async () => {
    const claims = await verify(await serviceToken(), here)
    assert.equal(claims.sub, clientId('client_secret_basic'))
  })

  test('an access token is refused where another audience is meant', async () => {
    await assert.rejects(verify(await userToken(), { ...here, audience: 'https://other.example' }), isRefusal)
  })

  test('an access token is refused where another issuer is trusted', async () => {
    await assert.rejects(verify(await userToken(), { ...here, issuer: 'https://other.example' }), isRefusal)
  })

  test('an access token signed by another key is refused, whatever key it names', async () => {
    const token = await userToken()
    const { kid } = decodeProtectedHeader(token)
    await assert.rejects(verify(await forge(token, kid), here), isRefusal)
    await assert.rejects(verify(await forge(token, 'made-up'), here), isRefusal)
  })

  test('what is no JWT is refused', async () => {
    await assert.rejects(verify('not-a-token', here), isRefusal)
  })
}

async function forge(token, kid) {
  const { privateKey } = await generateKeyPair('ES256')
  return new SignJWT(decodeJwt(token)).setProtectedHeader({ ...decodeProtectedHeader(token), kid }).sign(privateKey)
}

/** Ask an Express application behind *guards* with a token; `claimsOf` finds what they left in the request. */
export async function askGuarded(guards, claimsOf, token) {
  const application = express()
  // Express then keeps the stack of a refusal to itself.
  application.set('env', 'test')
  application.get('/', ...guards, (request, response) => response.json(claimsOf(request)))
  const server = application.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const headers = token ? { authorization: `Bearer ${token}` } : {}
    const response = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers })
    const body = await response.text()
    if (response.ok) {
      return JSON.parse(body)
    }
    throw new Refused(response)
  } finally {
    server.close()
  }
}

class Refused extends Error {
  constructor({ status, headers }) {
    super(`refused with ${status}`)
    this.status = status
    this.challenge = headers.get('www-authenticate') ?? ''
  }
}
