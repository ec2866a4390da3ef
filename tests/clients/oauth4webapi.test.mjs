// oauth4webapi and jose, as published, against a running authsvc.
// Started by `python -m tests.clients.run`, which says where it is and names the demo account and clients.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import {
  as,
  assertDead,
  assertDescribes,
  assertUserTokens,
  basic,
  clientCredentials,
  confidentialClient,
  discover,
  introspect,
  issuer,
  none,
  options,
  password,
  post,
  publicClient,
  readMe,
  refresh,
  revoke,
  signIn,
  username,
} from './oauth4webapi_service.mjs'

const format = process.env.AUTHSVC_TOKEN_FORMAT

test('discovery finds every endpoint by the oauth2 algorithm', async () => {
  const found = await discover()
  assert.equal(found.issuer, issuer.origin)
  for (const name of ['token_endpoint', 'introspection_endpoint', 'revocation_endpoint', 'jwks_uri']) {
    assert.equal(new URL(found[name]).origin, issuer.origin, name)
  }
  for (const grant of ['password', 'refresh_token', 'client_credentials']) {
    assert.ok(found.grant_types_supported.includes(grant), grant)
  }
})

test('discovery by the oidc algorithm finds nothing', async () => {
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...options })
  assert.equal(response.status, 404)
  await response.body?.cancel()
})

test('a public client signs in with a password', async () => {
  assertUserTokens(await signIn(publicClient, none))
})

test('a confidential client signs in with a password by client_secret_basic', async () => {
  assertUserTokens(await signIn(confidentialClient, basic))
})

test('a confidential client signs in with a password by client_secret_post', async () => {
  assertUserTokens(await signIn(confidentialClient, post))
})

test('a wrong password is invalid_grant', async () => {
  await assert.rejects(signIn(publicClient, none, { username, password: 'wrong and long enough' }), {
    name: 'ResponseBodyError',
    error: 'invalid_grant',
    status: 400,
  })
})

test('a scope that may not be had is invalid_scope', async () => {
  await assert.rejects(signIn(publicClient, none, { username, password, scope: 'account everything' }), {
    name: 'ResponseBodyError',
    error: 'invalid_scope',
    status: 400,
  })
})

for (const [name, method] of [['client_secret_basic', oauth.ClientSecretBasic], ['client_secret_post', oauth.ClientSecretPost]]) {
  test(`a wrong client secret by ${name} is invalid_client, with the challenge every 401 carries`, async () => {
    const error = await clientCredentials(method('wrong')).catch((refusal) => refusal)
    assert.equal(error.name, 'WWWAuthenticateChallengeError')
    assert.equal(error.status, 401)
    assert.equal(error.cause[0].scheme, 'basic')
    assert.equal((await error.response.json()).error, 'invalid_client')
  })
}

test('an unknown grant is unsupported_grant_type', async () => {
  const response = await oauth.genericTokenEndpointRequest(as, confidentialClient, basic, 'urn:example:none', {}, options)
  await assert.rejects(oauth.processGenericTokenEndpointResponse(as, confidentialClient, response), {
    error: 'unsupported_grant_type',
    status: 400,
  })
})

test('a public client refreshes', async () => {
  const first = await signIn(publicClient, none)
  const second = await refresh(publicClient, none, first.refresh_token)
  assertUserTokens(second)
  assert.notEqual(second.refresh_token, first.refresh_token)
  assert.notEqual(second.access_token, first.access_token)
  assertDescribes(await introspect(second.access_token), publicClient)
})

for (const [name, authentication] of [['client_secret_basic', basic], ['client_secret_post', post]]) {
  test(`a confidential client refreshes by ${name}`, async () => {
    const first = await signIn(confidentialClient, authentication)
    const second = await refresh(confidentialClient, authentication, first.refresh_token)
    assertUserTokens(second)
    assert.notEqual(second.refresh_token, first.refresh_token)
  })

  test(`introspection by ${name} describes a live token`, async () => {
    const { access_token: token } = await signIn(publicClient, none)
    assertDescribes(await introspect(token, authentication), publicClient)
  })

  test(`client_credentials by ${name} gives a live token and no refresh token`, async () => {
    const tokens = await clientCredentials(authentication)
    assert.equal(tokens.refresh_token, undefined)
    const description = await introspect(tokens.access_token)
    assert.equal(description.active, true)
    assert.equal(description.sub, confidentialClient.client_id)
    assert.equal(description.username, undefined)
  })

  test(`revocation by ${name} ends an access token`, async () => {
    const { access_token: token } = await signIn(confidentialClient, authentication)
    await revoke(confidentialClient, authentication, token)
    await assertDead(token)
  })
}

test('a wrong or unknown token_type_hint changes nothing', async () => {
  const { access_token: token } = await signIn(publicClient, none)
  assertDescribes(await introspect(token, basic, 'refresh_token'), publicClient)
  assertDescribes(await introspect(token, basic, 'string'), publicClient)
})

test('a token nobody issued is inactive and nothing more is said', async () => {
  await assertDead('not-a-token')
  await assertDead('asvc_at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')
})

test('a public client revokes its refresh token, and the access token dies with it', async () => {
  const tokens = await signIn(publicClient, none)
  await revoke(publicClient, none, tokens.refresh_token)
  await assertDead(tokens.access_token)
  await assert.rejects(refresh(publicClient, none, tokens.refresh_token), { error: 'invalid_grant', status: 400 })
})

test('revoking a token nobody issued is no error', async () => {
  await revoke(publicClient, none, 'not-a-token')
})

test('another client cannot revoke a token', async () => {
  const { access_token: token } = await signIn(publicClient, none)
  await revoke(confidentialClient, basic, token)
  assertDescribes(await introspect(token), publicClient)
})

test('a protected resource is read with the access token', async () => {
  const { access_token: token } = await signIn(publicClient, none)
  const response = await readMe(token)
  assert.equal(response.status, 200)
  assert.equal((await response.json()).username, username)
})

test('a dead access token meets a Bearer challenge that parses', async () => {
  const { access_token: token } = await signIn(confidentialClient, basic)
  await revoke(confidentialClient, basic, token)
  await assert.rejects(readMe(token), (error) => {
    assert.equal(error.name, 'WWWAuthenticateChallengeError')
    assert.equal(error.status, 401)
    assert.equal(error.cause[0].scheme, 'bearer')
    assert.equal(error.cause[0].parameters.error, 'invalid_token')
    return true
  })
})

if (format === 'jwt') {
  test('oauth4webapi validates the access token as RFC 9068 says', async () => {
    const { access_token: token } = await signIn(publicClient, none)
    const request = new Request(new URL('/', issuer), { headers: { authorization: `Bearer ${token}` } })
    const claims = await oauth.validateJwtAccessToken(as, request, as.issuer, options)
    assert.equal(claims.client_id, publicClient.client_id)
    assert.equal(claims.scope, 'account')
    assert.equal(claims.sub, (await introspect(token)).sub)
  })

  test('oauth4webapi validates a client_credentials token as RFC 9068 says', async () => {
    const { access_token: token } = await clientCredentials(basic)
    const request = new Request(new URL('/', issuer), { headers: { authorization: `Bearer ${token}` } })
    const claims = await oauth.validateJwtAccessToken(as, request, as.issuer, options)
    assert.equal(claims.sub, confidentialClient.client_id)
  })

  test('oauth4webapi refuses the access token for another audience', async () => {
    const { access_token: token } = await signIn(publicClient, none)
    const request = new Request(new URL('/', issuer), { headers: { authorization: `Bearer ${token}` } })
    await assert.rejects(oauth.validateJwtAccessToken(as, request, 'https://other.example', options), {
      code: oauth.JWT_CLAIM_COMPARISON,
    })
  })

  test('jose verifies the access token against the published keys', async () => {
    const { access_token: token } = await signIn(publicClient, none)
    const keys = createRemoteJWKSet(new URL(as.jwks_uri))
    const { payload } = await jwtVerify(token, keys, { issuer: as.issuer, audience: as.issuer, typ: 'at+jwt' })
    assert.equal(payload.username, username)
    const forged = `${token.slice(0, -8)}${token.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'}`
    await assert.rejects(jwtVerify(forged, keys), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
  })
} else {
  test('the access token is no JWT', async () => {
    const { access_token: token } = await signIn(publicClient, none)
    assert.throws(() => decodeJwt(token))
  })
}
