/** Where people find the links that the service writes to them. */
import type { About } from '../../api/types.ts';

/** After a letter was asked for; `life` is how long its link is good: "a day". */
export function whereItIs(about: About | null, email: string, life: string): string {
  return about?.mail === 'log'
    ? `This installation sends no e-mail: the link for ${email} is in the service’s log. Whoever runs the service can pass it on to you; it is good for ${life}.`
    : `We have written to ${email}. The letter has a link, which is good for ${life}; look among the spam, too.`;
}

/** Before one is asked for; `null` where letters are sent as everybody expects. */
export function noMailServer(about: About | null): string | null {
  return about?.mail === 'log'
    ? 'This installation sends no e-mail: links are in the service’s log. Whoever runs the service can pass them on to you.'
    : null;
}
