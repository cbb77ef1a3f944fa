import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// During `npm run dev` the API comes from a service that runs beside it.
const service = process.env['ONELAP_SERVICE'] ?? 'http://127.0.0.1:8090';

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) } },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // The service's Content-Security-Policy allows neither inline scripts nor data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { '/api': { target: service, ws: true, headers: { origin: service } } },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
