'use strict'

// Relative to /docs, so that a proxy may put the service under any path.
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  // With credentials, the browser meets a refused client's Basic challenge with its own password
  // dialog, and the page waits for ever.
  requestInterceptor: (r) => { r.credentials = 'omit'; return r },
})
