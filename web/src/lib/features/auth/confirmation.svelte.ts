/** The one question for the password, before something that the service does not do without having seen it lately. */
export class Confirmation {
  isAsked = $state(false);
  private answer: (confirmed: boolean) => void = () => undefined;

  ask(): Promise<boolean> {
    this.isAsked = true;
    return new Promise((resolve) => (this.answer = resolve));
  }

  /** The password was shown, or the person would rather not. */
  end(confirmed: boolean): void {
    this.isAsked = false;
    this.answer(confirmed);
  }
}
