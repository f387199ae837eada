import { defineConfig } from 'vite';

// The output is committed and embedded: no names or bytes may depend on the machine.
export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsDir: 'assets',
    // The content-security policy allows data: for images only; nothing is put inline.
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    sourcemap: false,
  },
  worker: { format: 'es' },
  server: {
    // `vite` beside a running `lakemill serve --dev`.
    proxy: Object.fromEntries(
      ['/api', '/healthz', '/readyz'].map((path) => [
        path,
        process.env['LAKEMILL_URL'] ?? 'http://127.0.0.1:8420',
      ]),
    ),
  },
});
