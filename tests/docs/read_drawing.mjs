// Read one Mermaid drawing from standard input, as a browser would before it draws it.
import { text } from 'node:stream/consumers'

import mermaid from 'mermaid'

console.log((await mermaid.parse(await text(process.stdin))).diagramType)
