// jose, as published: createRemoteJWKSet and jwtVerify. Started by `python -m tests.clients.run`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { takeSteps } from './resource-server.mjs'
import { issuer, userToken } from './service.mjs'

const published = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer))

async function verify(token, { issuer: trusted, audience }) {
  const { payload } = await jwtVerify(token, published, { issuer: trusted, audience, typ: 'at+jwt' })
  return payload
}

takeSteps(verify, (error) => error.code?.startsWith('ERR_J') && error.code !== 'ERR_JWKS_TIMEOUT')

test('the keys are fetched once for many tokens', async () => {
  let fetched = 0
  const count = (...request) => {
    fetched += 1
    return fetch(...request)
  }
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer), { [customFetch]: count })
  await jwtVerify(await userToken(), keys)
  await jwtVerify(await userToken(), keys)
  assert.equal(fetched, 1)
})

test('an access token is refused where a JWT of another type is meant', async () => {
  await assert.rejects(jwtVerify(await userToken(), published, { typ: 'JWT' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
})
