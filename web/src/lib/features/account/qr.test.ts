import decodeQR from 'qr/decode.js';
import { expect, it } from 'vitest';
import { qrPath } from './qr.ts';

/** The picture that a camera sees: a module is so many pixels wide. */
const SCALE = 4;

it('a camera reads what was written', () => {
  const uri = 'otpauth://totp/1Lap:ingrid%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=1Lap';
  const { path, size } = qrPath(uri);
  const width = size * SCALE;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x = '', y = ''] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let dy = 0; dy < SCALE; dy++) {
      const at = ((Number(y) * SCALE + dy) * width + Number(x) * SCALE) * 4;
      for (let dx = 0; dx < SCALE; dx++) data.fill(0, at + dx * 4, at + dx * 4 + 3);
    }
  }
  expect(decodeQR({ width, height: width, data })).toBe(uri);
});
