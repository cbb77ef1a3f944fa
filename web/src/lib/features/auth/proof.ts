/** What shows that it is still the same person: the password, and a code where one was asked for. */
export function proofOf(password: string, code: string): { password: string; code: string | null } {
  const typed = code.trim();
  return { password, code: typed === '' ? null : typed };
}
