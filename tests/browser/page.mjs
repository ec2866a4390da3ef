// A page of a real Chromium, which notes every request to another origin and every dialog.
import { chromium } from 'playwright-core'

const SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: SWITCHES })
}

export async function openPage(browser, url) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1400 } })
  page.setDefaultTimeout(10_000)
  const seen = { strangers: [], dialogs: [], complaints: [] }
  page.on('request', (request) => {
    const origin = new URL(request.url()).origin
    if (origin !== new URL(url).origin && origin !== 'null') seen.strangers.push(request.url())
  })
  page.on('dialog', (dialog) => {
    seen.dialogs.push(dialog.message())
    return dialog.dismiss()
  })
  page.on('console', (message) => {
    if (message.type() === 'error') seen.complaints.push(message.text())
  })
  page.on('pageerror', (error) => seen.complaints.push(String(error)))
  await page.goto(url)
  return { page, seen }
}
