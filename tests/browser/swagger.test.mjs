// Swagger UI as a person uses it: Authorize, try, understand an error.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openBrowser, openPage } from './page.mjs'

const base = process.env.AUTHSVC_URL
const demo = {
  username: process.env.DEMO_USERNAME,
  password: process.env.DEMO_PASSWORD,
  service: process.env.DEMO_INTROSPECTING_CLIENT_ID,
  secret: process.env.DEMO_INTROSPECTING_CLIENT_SECRET,
}
const pictures = process.env.PICTURES
let browser

before(async () => {
  browser = await openBrowser()
})

after(() => browser.close())

// The page of the documentation, and what a person does there.
async function openDocs() {
  const { page, seen } = await openPage(browser, `${base}/docs`)
  await page.waitForSelector('.opblock')
  const user = page.locator('.auth-container', { has: page.locator('#oauth_username') })
  const client = page.locator('.auth-container', { hasText: 'http, Basic' })

  async function openDialog() {
    await page.locator('.auth-wrapper > button.authorize').click()
    await page.locator('.modal-ux').waitFor()
  }

  async function closeDialog() {
    await page.locator('.modal-ux .close-modal').click()
    await page.locator('.modal-ux').waitFor({ state: 'detached' })
  }

  async function fillUser({ id = '', secret = '', password = demo.password } = {}) {
    await openDialog()
    await user.locator('#oauth_username').fill(demo.username)
    await user.locator('#oauth_password').fill(password)
    await user.locator('#client_id_password').fill(id)
    await user.locator('#client_secret_password').fill(secret)
    await user.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
  }

  async function authorizeUser(values) {
    await fillUser(values)
    await page.locator('.auth-container', { hasText: 'Flow: password' }).getByRole('button', { name: 'Remove authorization' }).waitFor()
    await picture(page, 'authorized')
    await closeDialog()
  }

  async function authorizeClient(secret) {
    await openDialog()
    await client.locator('input[name="username"]').fill(demo.service)
    await client.locator('input[name="password"]').fill(secret)
    await client.getByRole('button', { name: 'Apply credentials' }).click()
    await closeDialog()
  }

  async function execute(operation, parameters = {}) {
    const block = page.locator(`#operations-${operation}`)
    if (!(await block.getAttribute('class')).includes('is-open')) await block.locator('.opblock-summary-control').click()
    const tryOut = block.locator('.try-out__btn')
    await tryOut.waitFor()
    if (!(await tryOut.getAttribute('class')).includes('cancel')) await tryOut.click()
    for (const [name, value] of Object.entries(parameters)) {
      await block.locator(`[data-property-name="${name}"] input`).first().fill(value)
    }
    const [response] = await Promise.all([page.waitForResponse(() => true), block.locator('.execute').click()])
    await block.locator('.live-responses-table').waitFor()
    return response
  }

  return { page, seen, user, fillUser, closeDialog, authorizeUser, authorizeClient, execute }
}

async function picture(page, name) {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` })
}

test('a wrong password shows the OAuth error in the dialog', async () => {
  const docs = await openDocs()
  await docs.fillUser({ password: 'not the password at all' })
  const error = docs.page.locator('.auth-container .errors').first()
  await error.waitFor()
  await picture(docs.page, 'authorize-refused')
  assert.match(await error.textContent(), /invalid_grant|username or the password/)
})

test('Authorize works without a client; /me says who; after /logout it is 401', async () => {
  const docs = await openDocs()
  await docs.authorizeUser()
  const me = await docs.execute('user-me')
  await picture(docs.page, 'me')
  assert.equal(me.status(), 200)
  assert.equal((await me.json()).username, demo.username)
  assert.equal((await docs.execute('user-logout')).status(), 204)
  assert.equal((await docs.execute('user-me')).status(), 401)
})

test('Authorize works with a confidential client', async () => {
  const docs = await openDocs()
  await docs.authorizeUser({ id: demo.service, secret: demo.secret })
  const response = await docs.execute('user-me')
  assert.equal((await response.json()).client_id, demo.service)
})

test('Execute works on the form as it is filled in, and shows the examples of the answer', async () => {
  const docs = await openDocs()
  for (const operation of ['oauth-login', 'oauth-token']) {
    const response = await docs.execute(operation)
    await picture(docs.page, operation)
    assert.equal(response.status(), 200)
    assert.equal((await response.json()).scope, 'account')
    const refused = docs.page.locator(`#operations-${operation} tr.response[data-code="400"]`)
    assert.match(await refused.textContent(), /invalid_/)
  }
  await docs.authorizeUser()
  assert.equal((await docs.execute('user-change_password')).status(), 204)
  assert.equal((await docs.execute('oauth-login')).status(), 200)
})

test('/introspect works by Basic', async () => {
  const docs = await openDocs()
  await docs.authorizeClient(demo.secret)
  const response = await docs.execute('oauth-introspect', { token: 'unknown' })
  await picture(docs.page, 'introspect')
  assert.equal(response.status(), 200)
  assert.deepEqual(await response.json(), { active: false })
})

test('a wrong client secret shows the OAuth error, and no dialog of the browser', async () => {
  const docs = await openDocs()
  await docs.authorizeClient('not the secret')
  const response = await docs.execute('oauth-introspect', { token: 'unknown' })
  await picture(docs.page, 'introspect-refused')
  assert.equal(response.status(), 401)
  const shown = docs.page.locator('#operations-oauth-introspect .live-responses-table')
  assert.match(await shown.textContent(), /invalid_client/)
  assert.deepEqual(docs.seen.dialogs, [])
})

test('nothing comes from another origin, and the content security policy refuses nothing', async () => {
  const docs = await openDocs()
  await docs.authorizeUser()
  await docs.execute('user-me')
  assert.deepEqual(docs.seen.strangers, [])
  assert.deepEqual(docs.seen.complaints, [])
})
