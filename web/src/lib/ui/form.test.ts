import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api/client.ts';
import { Form, type Needed, missing } from './form.svelte.ts';

/** A form in the page, as far as it is asked; `focused` is what got the focus. */
function page() {
  const focused: string[] = [];
  const currentTarget = { querySelector: (what: string) => ({ focus: () => focused.push(what) }) };
  return { focused, event: { currentTarget, preventDefault: () => undefined } as unknown as SubmitEvent };
}
const filled: Needed<'name' | 'email'> = { name: ['Ingrid', 'Your name'], email: ['i@x.org', 'The e-mail address'] };

describe('Form', () => {
  it('names every field that is missing, blanks included', () => {
    expect(missing({ name: ['  ', 'Your name'], email: ['', 'The e-mail address'] })).toEqual({
      name: 'Your name is missing.',
      email: 'The e-mail address is missing.',
    });
    expect(missing(filled)).toEqual({});
  });

  it('asks the service for nothing while something is missing', async () => {
    const form = new Form<'name' | 'email'>();
    const { event, focused } = page();
    await form.submit(event, { ...filled, name: ['', 'Your name'] }, () => expect.unreachable());
    expect(form.wrong).toEqual({ name: 'Your name is missing.' });
    expect(focused).toHaveLength(1);
  });

  it('gives a refusal to its field, and to the form where it has none', async () => {
    const form = new Form<'name' | 'email'>();
    const { event, focused } = page();
    const refuse = (field: string | null) => () => Promise.reject(new ApiError(422, 'invalid', 'No.', field));
    await form.submit(event, filled, refuse('email'));
    expect([form.wrong, form.problem]).toEqual([{ email: 'No.' }, null]);
    await form.submit(event, filled, refuse('team_name'));
    expect([form.wrong, form.problem?.message]).toEqual([{}, 'No.']);
    expect(focused).toHaveLength(2);
    await form.submit(event, filled, () => Promise.resolve());
    expect([form.wrong, form.problem, form.busy]).toEqual([{}, null, false]);
    expect(focused).toHaveLength(2);
  });

  it('is sent once, however often the button is pressed', async () => {
    const form = new Form<'name' | 'email'>();
    let sent = 0;
    let done: () => void = () => undefined;
    const work = () => ((sent += 1), new Promise<void>((resolve) => (done = resolve)));
    const first = form.submit(page().event, filled, work);
    await form.submit(page().event, filled, work);
    done();
    await first;
    expect(sent).toBe(1);
  });

  it('leaves the service alone for as long as it asks to be', async () => {
    vi.useFakeTimers();
    const form = new Form<'name' | 'email'>();
    const tooOften = () => Promise.reject(new ApiError(429, 'rate_limited', 'Too many.', null, null, 30));
    await form.submit(page().event, filled, tooOften);
    expect([form.problem?.message, form.wait.leftS]).toEqual(['Too many.', 30]);
    await form.submit(page().event, filled, () => expect.unreachable());
    vi.advanceTimersByTime(31_000);
    expect([form.problem, form.wait.leftS]).toEqual([null, 0]);
    let sent = 0;
    await form.submit(page().event, filled, () => Promise.resolve((sent += 1)));
    expect(sent).toBe(1);
    vi.useRealTimers();
  });
});
