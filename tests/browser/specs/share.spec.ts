// For people without an account: a share link with a password and a delay, one that is revoked while somebody looks; and a PC
// that gets its token by a code.

import type { Browser, Page } from "@playwright/test";
import { expect, type Stack, test, until } from "../harness.js";
import { enterPassword, INGRID, signUp } from "../people.js";
import { condition, dialog, makeFirstRig, panel, teamOf } from "../team.js";
import { notesOf, takeNotes } from "../watched-page.js";

const PASSWORD = "only for the pit wall";
const DELAY_MS = 6000;
/** What a held-back frame may take longer than it has to, on a machine that does other things as well. */
const SLACK_MS = 1500;
/** Within this time after a link was revoked, who looks is told. */
const NOTICED_MS = 5000;

declare global {
  interface Window {
    setups: number;
  }
}

/** Counts the setups that reach the page, shown or not. To be called before it is loaded. */
async function countSetups(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.setups = 0;
    type Told = { type: string; message?: { type: string; setup?: unknown } };
    window.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        this.addEventListener("message", ({ data }: MessageEvent<Told>) => {
          if (data.type === "message" && data.message?.setup != null) window.setups += 1;
        });
      }
    };
  });
}

/** A page in a browser of its own, where nobody has ever logged in. */
async function stranger(browser: Browser): Promise<Page> {
  return (await browser.newContext()).newPage();
}

/** Ingrid's team with a car that is driven; her page shows its dashboard. */
async function live(page: Page, stack: Stack) {
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  const team = teamOf(page);
  const token = await makeFirstRig(page);
  const game = await stack.startFakeGame("--track", "short", "--cars", "6", "--speed", "2", "--seed", "7");
  stack.startAgent(token);
  await page.waitForURL(/\/live\//, { timeout: 30_000 });
  await expect(condition(page)).toHaveAttribute("data-condition", "live");
  return { team, game };
}

/** In the dialog that is open: makes the link and gives it, as it is shown this once. */
async function makeLink(page: Page): Promise<string> {
  await dialog(page).getByRole("button", { name: "Make link" }).click();
  const link = (await page.getByTestId("share-link").locator("code").innerText()).trim();
  await dialog(page).getByRole("button", { name: "I have copied it" }).click();
  return link;
}

const channel = (page: Page, name: string) => page.locator(`[data-channel="${name}"]`).first();
const over = (page: Page) => page.getByTestId("over");

test("a link with a password and a delay shows the same car so much later, and no setup", async ({ page, browser, stack }) => {
  await takeNotes(page);
  await countSetups(page);
  const { game } = await live(page, stack);
  await game.do("garage");
  await expect(panel(page, "setup").locator("[data-setting]").first()).toBeVisible({ timeout: 30_000 });
  await game.do("track");
  await expect(condition(page)).toHaveAttribute("data-condition", "live", { timeout: 30_000 });

  await page.getByRole("button", { name: "Share" }).click();
  await dialog(page).getByLabel("Delay in seconds").fill(String(DELAY_MS / 1000));
  await dialog(page).getByRole("checkbox", { name: "Ask for a password" }).check();
  await dialog(page).getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  const link = await makeLink(page);
  expect(link.startsWith(`${stack.url}/shared#1lap_share_`), "the secret is behind the #").toBe(true);

  const guest = await stranger(browser);
  const asked: string[] = [];
  guest.on("request", (request) => asked.push(request.url()));
  await takeNotes(guest);
  await countSetups(guest);
  await guest.goto(link);
  await guest.getByLabel("Password").fill("what might it be");
  await guest.getByRole("button", { name: "Open" }).click();
  await expect(guest.getByText("This is not the link's password")).toBeVisible();
  await guest.getByLabel("Password").fill(PASSWORD);
  await guest.getByRole("button", { name: "Open" }).click();
  const banner = guest.getByTestId("shared-banner");
  await expect(banner).toBeVisible();
  const opened = Date.now();
  await expect(banner).toContainText(`shared by ${INGRID.team}`);
  await expect(banner).toContainText(`${DELAY_MS / 1000} s late`);
  expect(guest.url()).toBe(`${stack.url}/shared`);
  await expect(condition(guest)).toHaveAttribute("data-condition", "live", { timeout: 30_000 });
  await expect(guest.getByTestId("driver")).toHaveText((await game.state()).driver);

  // The very same samples, none of them sooner after it was taken than it may be. All clocks are this machine's.
  const ages = await until("samples that both pages have", async () => {
    const ours = new Set((await notesOf(page)).arrivals.map(([, sample]) => sample));
    const theirs = (await notesOf(guest)).arrivals.filter(([, sample]) => ours.has(sample));
    return theirs.length > 50 ? theirs.map(([arrived, sample]) => arrived - sample).sort((a, b) => a - b) : undefined;
  });
  expect(ages[0]).toBeGreaterThanOrEqual(DELAY_MS);
  expect(ages[ages.length >> 1]).toBeLessThan(DELAY_MS + SLACK_MS);
  const first = (await notesOf(guest)).arrivals[0]?.[0] ?? Infinity;
  expect(first - opened, "the first of it comes after one delay, not two").toBeLessThan(2 * DELAY_MS);

  // What is read on the screen is the same as well, once the game stands still.
  await game.do("pause");
  await expect(condition(page)).toHaveAttribute("data-condition", "paused");
  const paused = Date.now();
  await expect(condition(guest)).toHaveAttribute("data-condition", "paused");
  expect(Date.now() - paused).toBeGreaterThan(DELAY_MS - 1000);
  for (const name of ["speed", "fuel", "virtual_energy", "tire_pressures.fl", "tire_carcass_temps.rr", "brake_temps.rl"]) {
    await expect(channel(guest, name)).toHaveText(await channel(page, name).innerText());
  }
  await expect(guest.getByTestId("lap")).toHaveText(await page.getByTestId("lap").innerText());

  await expect(panel(guest, "setup")).toHaveCount(0);
  expect(await page.evaluate(() => window.setups)).toBeGreaterThan(0);
  expect(await guest.evaluate(() => window.setups)).toBe(0);
  await expect(guest.getByRole("button", { name: "Share" })).toHaveCount(0);
  const secret = new URL(link).hash.slice(1);
  expect(asked.filter((url) => url.includes(secret)), "the secret is in no address").toEqual([]);

  // The cookie is enough from now on.
  await guest.reload();
  await expect(banner).toContainText(`${DELAY_MS / 1000} s late`);
});

test("a link that is revoked ends at once for who looks, and says so to who comes later", async ({ page, browser, stack }) => {
  const { team } = await live(page, stack);
  await page.goto(`${stack.url}/teams/${team}/shares`);
  await expect(page.getByText("No link is open")).toBeVisible();
  await page.getByRole("button", { name: "Make a link" }).click();
  await dialog(page).getByLabel("What", { exact: true }).selectOption({ label: "Live view of the whole team" });
  await dialog(page).getByLabel("Shows", { exact: true }).selectOption({ label: "Live, and what is recorded from now on" });
  await dialog(page).getByLabel("Name", { exact: true }).fill("For the sponsors");
  const link = await makeLink(page);
  const row = page.locator("[data-share]");
  await expect(row).toContainText("the whole team, with recorded laps");
  await expect(row).toContainText("never");

  const guest = await stranger(browser);
  await guest.goto(link);
  await expect(condition(guest)).toHaveAttribute("data-condition", "live", { timeout: 30_000 });
  await guest.getByRole("link", { name: "Recorded" }).click();
  await guest.locator("[data-session]").first().click();
  await expect(panel(guest, "laps")).toBeVisible();
  await expect(panel(guest, "setups")).toHaveCount(0);
  await expect(row.getByTestId("watching")).toHaveText("1", { timeout: 30_000 });
  await expect(row).toContainText("once");

  await row.getByRole("button", { name: "Revoke For the sponsors" }).click();
  await dialog(page).getByRole("button", { name: "Revoke link" }).click();
  await expect(page.getByText("No link is open")).toBeVisible();
  await expect(over(guest)).toContainText("This link was revoked", { timeout: NOTICED_MS });
  await expect(over(guest)).toContainText(INGRID.team);
  await expect(guest.locator("[data-channel]")).toHaveCount(0);

  const late = await stranger(browser);
  await late.goto(link);
  await expect(over(late)).toContainText("revoked this share link");
  await late.goto(link.slice(0, -1));
  await expect(over(late)).toContainText("not a whole share link");
  await late.goto(`${stack.url}/shared`);
  await expect(over(late)).toContainText("No link is open here");
});

interface Codes {
  device_code: string;
  user_code: string;
  verification_uri_complete: string;
}

/** What an agent asks. */
async function ask<T>(stack: Stack, path: string, body: object): Promise<{ status: number; body: T }> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${stack.url}/api/pair/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as T };
}

async function begin(stack: Stack, name: string): Promise<Codes> {
  const { status, body } = await ask<Codes>(stack, "device", { name });
  expect(status).toBe(200);
  return body;
}

test("a PC that shows a code is let in as a rig, or kept out", async ({ page, browser, stack }) => {
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  await expect(page.getByRole("link", { name: "I have a code" })).toBeVisible();

  // The agent's own link, in a browser where its member has to log in first.
  const theirs = await stranger(browser);
  const codes = await begin(stack, "SIM-PC");
  await theirs.goto(codes.verification_uri_complete);
  await enterPassword(theirs, INGRID.email, INGRID.password);
  await theirs.waitForURL(`${stack.url}/pair`);
  await expect(theirs.getByTestId("pc")).toHaveText("SIM-PC");
  await expect(theirs.getByText(codes.user_code)).toBeVisible();
  await theirs.getByLabel("Name of the rig").fill("RIG_P");
  await theirs.getByRole("button", { name: "Approve" }).click();
  await expect(theirs.getByRole("heading", { name: "SIM-PC is let in" })).toBeVisible();

  const paired = await ask<{ token: string; rig_name: string }>(stack, "token", { device_code: codes.device_code });
  expect([paired.status, paired.body.rig_name]).toEqual([200, "RIG_P"]);
  const again = await ask<{ error: string }>(stack, "token", { device_code: codes.device_code });
  expect([again.status, again.body.error], "a token is given once").toEqual([400, "expired_token"]);

  // The token works, and both pages notice by themselves.
  await stack.startFakeGame("--track", "short", "--cars", "6", "--speed", "2", "--seed", "7");
  stack.startAgent(paired.body.token);
  await expect(theirs.getByTestId("paired")).toContainText("Connected.", { timeout: 30_000 });
  await page.waitForURL(/\/live\//, { timeout: 30_000 });
  await expect(condition(page)).toHaveAttribute("data-condition", "live");

  // Typed by hand, however it is typed; and kept out.
  const other = await begin(stack, "SOMEBODY-ELSE");
  await page.goto(`${stack.url}/pair`);
  await page.getByLabel("Code").fill("BCDF-GHJK");
  await page.getByRole("button", { name: "Find the PC" }).click();
  await expect(page.getByText("No PC waits with this code")).toBeVisible();
  await page.getByLabel("Code").fill(other.user_code.toLowerCase().replace("-", " "));
  await page.getByRole("button", { name: "Find the PC" }).click();
  await expect(page.getByTestId("pc")).toHaveText("SOMEBODY-ELSE");
  await page.getByRole("button", { name: "Deny" }).click();
  await expect(page.getByRole("heading", { name: "SOMEBODY-ELSE is kept out" })).toBeVisible();
  const denied = await ask<{ error: string }>(stack, "token", { device_code: other.device_code });
  expect([denied.status, denied.body.error]).toEqual([400, "access_denied"]);
});
