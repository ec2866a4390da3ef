// A single page application on its own origin: allowed, and not allowed.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { openBrowser, openPage } from './page.mjs'

const base = process.env.AUTHSVC_URL
const allowed = Number(process.env.APP_PORT)
const form = { username: process.env.DEMO_USERNAME, password: process.env.DEMO_PASSWORD }
let browser
let servers

before(async () => {
  servers = [allowed, 0].map((port) =>
    createServer((_request, response) => response.end('<!doctype html><title>app</title>')).listen(port, '127.0.0.1'),
  )
  browser = await openBrowser()
})

after(async () => {
  await browser.close()
  for (const server of servers) server.close()
})

async function send(page, path, parameters) {
  return page.evaluate(
    async ([url, body]) => {
      try {
        const response = await fetch(url, { method: 'POST', body: new URLSearchParams(body) })
        const json = await response.json()
        return { status: response.status, json, retryAfter: response.headers.get('retry-after') }
      } catch (error) {
        return { failed: String(error) }
      }
    },
    [`${base}${path}`, parameters],
  )
}

test('on an allowed origin it logs in, refreshes, and reads the errors', async () => {
  const { page } = await openPage(browser, `http://127.0.0.1:${allowed}/`)
  const tokens = await send(page, '/login', form)
  assert.equal(tokens.status, 200)
  const refreshed = await send(page, '/refresh', { refresh_token: tokens.json.refresh_token })
  assert.equal(refreshed.status, 200)
  assert.notEqual(refreshed.json.refresh_token, tokens.json.refresh_token)
  const refused = await send(page, '/login', { ...form, password: 'not the password at all' })
  assert.deepEqual([refused.status, refused.json.error], [400, 'invalid_grant'])

  // One refresh token again and again inside its overlap: at last "not so often", and until when.
  let last
  for (let count = 0; count < 110 && last?.status !== 429; count += 1) {
    last = await send(page, '/refresh', { refresh_token: tokens.json.refresh_token })
  }
  assert.equal(last.status, 429)
  assert.ok(Number(last.retryAfter) >= 1, `Retry-After is ${last.retryAfter}`)
})

test('it may send a Bearer token from there', async () => {
  const { page } = await openPage(browser, `http://127.0.0.1:${allowed}/`)
  const tokens = await send(page, '/login', form)
  const me = await page.evaluate(
    async ([url, token]) => (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).json(),
    [`${base}/me`, tokens.json.access_token],
  )
  assert.equal(me.username, form.username)
})

test('on another origin the browser keeps the answer from it', async () => {
  const { page } = await openPage(browser, `http://127.0.0.1:${servers[1].address().port}/`)
  const answer = await send(page, '/login', form)
  assert.match(answer.failed, /Failed to fetch/)
})
