/** Whether other people on the network could read along: plain http, and not within this very machine. */
export function isOverheard(about: { https: boolean } | null, hostname: string): boolean {
  if (about === null || about.https) return false;
  return !/^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
