import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The grid of Grafana's tables as npm has it is for React 19; the copy that Grafana builds with is for 18.
const forReact18 = {
  name: 'react-data-grid-for-react-18',
  transform: (code, id) => (
    id.includes('/react-data-grid/') ? code.replace(/(jsxs?\(\w+Context)(?=, )/g, '$1.Provider') : undefined
  ),
};

export default defineConfig({
  base: './', plugins: [react(), forReact18], build: { minify: false, reportCompressedSize: false },
});
