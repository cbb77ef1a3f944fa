// Writes src/lib/api.gen.ts from service/openapi.json. Its first line names the input by check sum; a test compares that.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const source = new URL('../../../service/openapi.json', import.meta.url);
const target = new URL('../../src/lib/api.gen.ts', import.meta.url);

if (!existsSync(`${here}node_modules/openapi-typescript`)) {
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: here, stdio: 'inherit' });
}
const { default: generate, astToString } = await import('openapi-typescript');
const text = readFileSync(source);
const types = astToString(await generate(JSON.parse(text.toString())));
const sum = createHash('sha256').update(text).digest('hex');
writeFileSync(
  target,
  `// openapi.json ${sum}\n// Generated from service/openapi.json; \`make openapi\` writes it anew. Do not edit.\n\n${types}`,
);
