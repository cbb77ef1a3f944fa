/** Hands a file to the browser, to be kept where people keep what they download. */
export function saveFile(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  [link.href, link.download] = [url, name];
  link.click();
  // The browser has taken it by then; what is not given back is kept in memory.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
