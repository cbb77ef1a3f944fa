/** A QR code as the path of an SVG: one unit a module, four of quiet zone around. */
import encodeQR from 'qr';

const QUIET = 4;

export function qrPath(text: string): { path: string; size: number } {
  const rows = encodeQR(text, 'raw', { border: QUIET });
  const dark = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { path: dark.join(''), size: rows.length };
}
