// passport-jwt with the keys of jwks-rsa, as published, in Express. Started by `python -m tests.clients.run`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passportJwtSecret } from 'jwks-rsa'
import passport from 'passport'
import { ExtractJwt, Strategy } from 'passport-jwt'
import { askGuarded, takeSteps } from './resource-server.mjs'
import { issuer } from './service.mjs'

const secretOrKeyProvider = passportJwtSecret({ jwksUri: new URL('/.well-known/jwks.json', issuer).href, cache: true })

function verify(token, { issuer: trusted, audience }) {
  const options = { issuer: trusted, audience, algorithms: ['ES256'], secretOrKeyProvider }
  options.jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken()
  const strategy = new Strategy(options, (claims, done) => done(null, claims))
  return askGuarded([passport.authenticate(strategy, { session: false })], (request) => request.user, token)
}

takeSteps(verify, (error) => error.status === 401)

test('a request without a token is refused', async () => {
  await assert.rejects(verify(undefined, { issuer: issuer.origin, audience: issuer.origin }), { status: 401 })
})
