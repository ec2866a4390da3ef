// oauth4webapi, as published. Started by `python -m tests.clients.run`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oauth from 'oauth4webapi'
import { assertDescribes, takeSteps } from './application.mjs'
import { clientId, describe, format, isInsecure, issuer, secret, serviceToken, user, userToken } from './service.mjs'

const options = isInsecure ? { [oauth.allowInsecureRequests]: true } : {}
const as = await oauth
  .discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
  .then((response) => oauth.processDiscoveryResponse(issuer, response))

const authentications = {
  none: () => oauth.None(),
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
}

function connect(method, clientSecret) {
  const client = { client_id: clientId(method) }
  const authentication = authentications[method](clientSecret)
  return {
    client,
    authentication,
    async signIn(credentials) {
      const response = await oauth.genericTokenEndpointRequest(as, client, authentication, 'password', credentials, options)
      return oauth.processGenericTokenEndpointResponse(as, client, response)
    },
    async refresh(token) {
      const response = await oauth.refreshTokenGrantRequest(as, client, authentication, token, options)
      return oauth.processRefreshTokenResponse(as, client, response)
    },
    async clientCredentials() {
      const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, {}, options)
      return oauth.processClientCredentialsResponse(as, client, response)
    },
    async introspect(token, hint = 'access_token') {
      const hinted = { additionalParameters: { token_type_hint: hint }, ...options }
      const response = await oauth.introspectionRequest(as, client, authentication, token, hinted)
      return oauth.processIntrospectionResponse(as, client, response)
    },
    async revoke(token, hint) {
      const hinted = { additionalParameters: { token_type_hint: hint }, ...options }
      const response = await oauth.revocationRequest(as, client, authentication, token, hinted)
      await oauth.processRevocationResponse(response)
    },
  }
}

// A 401 with a challenge is an error of its own kind, whose body is still to be read.
async function refusal({ error, status, response }) {
  return { error: error ?? (await response.json()).error, status }
}

takeSteps(connect, refusal, { introspects: true })

test('discovery finds every endpoint and grant', () => {
  assert.equal(as.issuer, issuer.origin)
  for (const name of ['token_endpoint', 'introspection_endpoint', 'revocation_endpoint', 'jwks_uri']) {
    assert.equal(new URL(as[name]).origin, issuer.origin, name)
  }
  for (const grant of ['password', 'refresh_token', 'client_credentials']) {
    assert.ok(as.grant_types_supported.includes(grant), grant)
  }
})

test('discovery by the oidc algorithm finds nothing', async () => {
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...options })
  assert.equal(response.status, 404)
  await response.body?.cancel()
})

test('a wrong secret meets the challenge that every 401 carries', async () => {
  const error = await connect('client_secret_post', 'wrong').clientCredentials().catch((refused) => refused)
  assert.equal(error.name, 'WWWAuthenticateChallengeError')
  assert.equal(error.cause[0].scheme, 'basic')
})

test('an unknown grant is unsupported_grant_type', async () => {
  const { client, authentication } = connect('client_secret_basic', secret)
  const response = await oauth.genericTokenEndpointRequest(as, client, authentication, 'urn:example:none', {}, options)
  await assert.rejects(oauth.processGenericTokenEndpointResponse(as, client, response), {
    error: 'unsupported_grant_type',
    status: 400,
  })
})

test('a wrong or unknown token_type_hint changes nothing', async () => {
  const token = await userToken()
  const application = connect('client_secret_basic', secret)
  assertDescribes(await application.introspect(token, 'refresh_token'), 'none')
  assertDescribes(await application.introspect(token, 'string'), 'none')
})

test('another client cannot revoke a token', async () => {
  const token = await userToken()
  await connect('client_secret_basic', secret).revoke(token, 'access_token')
  assertDescribes(await describe(token), 'none')
})

async function readMe(token) {
  return oauth.protectedResourceRequest(token, 'GET', new URL('/me', issuer), undefined, undefined, options)
}

test('a protected resource is read with the access token', async () => {
  const response = await readMe(await userToken())
  assert.equal(response.status, 200)
  assert.equal((await response.json()).username, user.username)
})

test('a dead access token meets a Bearer challenge that parses', async () => {
  const application = connect('none')
  const { access_token: token } = await application.signIn(user)
  await application.revoke(token, 'access_token')
  await assert.rejects(readMe(token), (error) => {
    assert.equal(error.name, 'WWWAuthenticateChallengeError')
    assert.equal(error.status, 401)
    assert.equal(error.cause[0].scheme, 'bearer')
    assert.equal(error.cause[0].parameters.error, 'invalid_token')
    return true
  })
})

if (format === 'jwt') {
  const validate = (token, audience) => {
    const request = new Request(issuer, { headers: { authorization: `Bearer ${token}` } })
    return oauth.validateJwtAccessToken(as, request, audience, options)
  }

  test('the access token is what RFC 9068 says', async () => {
    const token = await userToken()
    const claims = await validate(token, as.issuer)
    assert.equal(claims.client_id, clientId('none'))
    assert.equal(claims.scope, 'account')
    assert.equal(claims.sub, (await describe(token)).sub)
  })

  test('a client_credentials token is what RFC 9068 says', async () => {
    const claims = await validate(await serviceToken(), as.issuer)
    assert.equal(claims.sub, clientId('client_secret_basic'))
  })

  test('the access token is refused for another audience', async () => {
    await assert.rejects(validate(await userToken(), 'https://other.example'), { code: oauth.JWT_CLAIM_COMPARISON })
  })
}
