/** Puts the focus into the first field, for an `{@attach}`: what appears is there to be filled in. */
export function focusFirst(element: HTMLElement): void {
  element
    .querySelector<HTMLElement>('input:not([tabindex="-1"], [type="radio"]:not(:checked)), select, textarea')
    ?.focus();
}
