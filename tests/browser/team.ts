// What teams do, as often as tests need it: by the pages.

import { expect, type Locator, type Page } from "@playwright/test";
import type { Stack } from "./harness.js";
import type { Person } from "./people.js";

export const panel = (page: Page, name: string): Locator => page.locator(`[data-panel=${name}]`);
export const dialog = (page: Page): Locator => page.getByRole("dialog");
export const lost = (page: Page): Locator => page.getByTestId("lost-team");
export const member = (page: Page, name: string): Locator => page.locator(`[data-member="${name}"]`);
export const rig = (page: Page, name: string): Locator => page.locator(`[data-rig="${name}"]`);
/** What the head of a dashboard says, or a rig's card. */
export const condition = (within: Page | Locator): Locator => within.locator("[data-condition]").first();

/** The team of the page that is open. */
export function teamOf(page: Page): string {
  const id = new URL(page.url()).pathname.match(/^\/teams\/([0-9a-f-]{36})/)?.[1];
  if (id === undefined) throw new Error(`${page.url()} is not a page of a team`);
  return id;
}

/** On the page that a new team begins with. Gives the token. */
export async function makeFirstRig(page: Page): Promise<string> {
  await page.getByLabel("Name").fill("RIG_A");
  await page.getByRole("button", { name: "Make rig and token" }).click();
  return shownToken(page);
}

/** The token that is shown this once. */
export async function shownToken(page: Page): Promise<string> {
  const token = (await page.getByTestId("token").innerText()).match(/1lap_rig_\w+/)?.[0];
  if (token === undefined) throw new Error("no token is shown");
  return token;
}

/** The driver's PC: the game is driven, the agent streams. */
export async function drive(stack: Stack, token: string): Promise<void> {
  await stack.startFakeGame("--track", "short", "--cars", "6", "--speed", "2", "--seed", "7");
  stack.startAgent(token);
}

export async function openSettings(page: Page, url: string, team: string): Promise<void> {
  await page.goto(`${url}/teams/${team}/settings`);
  await expect(panel(page, "members").locator("[data-member]").first()).toBeVisible();
}

/** On the team's settings. Gives the link, which is shown this once. */
export async function inviteByLink(page: Page, role: string): Promise<string> {
  await page.getByRole("button", { name: "Invite by link" }).click();
  await dialog(page).getByRole("radio", { name: new RegExp(`^${role}`) }).check();
  await dialog(page).getByRole("button", { name: "Make link" }).click();
  const link = await page.getByTestId("invitation-link").locator("code").innerText();
  await dialog(page).getByRole("button", { name: "I have copied it" }).click();
  return link.trim();
}

/** Opens an invitation's link without an account, makes one, and joins. */
export async function joinAsNew(page: Page, link: string, person: Omit<Person, "team">): Promise<void> {
  await page.goto(link);
  await page.getByTestId("invitation").getByRole("link", { name: "Make an account" }).click();
  await page.getByLabel("Your name").fill(person.name);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Make account", exact: true }).click();
  await page.getByRole("button", { name: "Join the team" }).click();
  await page.waitForURL(/\/teams\//);
}
