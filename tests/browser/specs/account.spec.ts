// A person and their account, from sign-up to deletion, where letters are sent and where none are.

import { readFileSync } from "node:fs";
import type { Locator, Page } from "@playwright/test";
import { expect, type Stack, test } from "../harness.js";
import { linkOf, Mailbox } from "../mailbox.js";
import { enterPassword, INGRID, logIn, openAccount, signUp } from "../people.js";
import { Authenticator } from "../totp.js";

/** Ended log-ins are to be noticed within five seconds. */
const NOTICED_MS = 5000;

const withLetters = test.extend<{ mailbox: Mailbox }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright wants the destructuring
  mailbox: async ({}, use) => {
    const mailbox = await Mailbox.start();
    await use(mailbox);
    await mailbox.stop();
  },
  stackOptions: async ({ mailbox }, use) => use({ host: "localhost", env: mailbox.serviceEnv }),
});

const panel = (page: Page, name: string): Locator => page.locator(`[data-panel=${name}]`);
const dialog = (page: Page): Locator => page.getByRole("dialog");

async function signUpByLetter(page: Page, stack: Stack, mailbox: Mailbox): Promise<void> {
  await signUp(page, stack.url, INGRID);
  await expect(page.getByText(`We have written to ${INGRID.email}`)).toBeVisible();
  await page.goto(linkOf(await mailbox.take(INGRID.email, "Finish signing up")));
  await page.getByLabel("Password").fill(INGRID.password);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.waitForURL(/\/teams\//);
}

/** Sets up a second factor on the account's page; gives the app and the recovery codes. */
async function setUpFactor(page: Page, password: string): Promise<{ app: Authenticator; codes: string[] }> {
  await page.getByRole("button", { name: "Set up a second factor" }).click();
  await dialog(page).getByLabel("Password").fill(password);
  await dialog(page).getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("img", { name: "Code for your authenticator app" })).toBeVisible();
  const app = new Authenticator(await page.getByTestId("totp-secret").locator("code").innerText());
  await dialog(page).getByLabel("Code", { exact: true }).fill("000000");
  await dialog(page).getByRole("button", { name: "Switch it on" }).click();
  await expect(dialog(page).getByText("This code is wrong")).toBeVisible();
  await dialog(page).getByLabel("Code", { exact: true }).fill(app.code());
  await dialog(page).getByRole("button", { name: "Switch it on" }).click();
  await expect(page.getByTestId("recovery-codes").locator("code")).toHaveCount(10);
  const codes = await page.getByTestId("recovery-codes").locator("code").allInnerTexts();
  expect(new Set(codes).size).toBe(10);
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    dialog(page).getByRole("button", { name: "Save as a file" }).click(),
  ]);
  const text = readFileSync(await file.path(), "utf8");
  for (const code of codes) expect(text).toContain(code);
  await dialog(page).getByRole("button", { name: "I have kept them" }).click();
  await expect(panel(page, "second-factor")).toContainText("10 recovery codes left");
  return { app, codes };
}

/** The last link that the service printed to its log, for a page. */
async function linkInLog(stack: Stack, path: string, nth = 1): Promise<string> {
  const pattern = new RegExp(`"?(http[^"\\s]*${path}#[0-9A-Za-z_]+)`);
  await expect.poll(() => stack.service.lines.filter((line) => pattern.test(line)).length).toBeGreaterThanOrEqual(nth);
  const found = stack.service.lines.filter((line) => pattern.test(line)).at(nth - 1);
  return found?.match(pattern)?.[1] ?? "";
}

withLetters("from sign-up by letter to a second factor, and to another browser's log-in that is ended", async ({
  page,
  stack,
  mailbox,
  browser,
}) => {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));

  await signUp(page, stack.url, INGRID);
  await expect(page.getByText(`We have written to ${INGRID.email}`)).toBeVisible();
  // Nobody has an account before its letter was opened.
  const early = await page.request.post(`${stack.url}/api/auth/login`, {
    headers: { origin: stack.url },
    data: { email: INGRID.email, password: INGRID.password },
  });
  expect(early.status()).toBe(401);
  await page.goto(linkOf(await mailbox.take(INGRID.email, "Finish signing up")));
  await expect(page).toHaveURL(`${stack.url}/signup/finish`);
  await page.getByLabel("Password").fill("not what I chose");
  await page.getByRole("button", { name: "Make the account" }).click();
  await expect(page.getByText("This is not the password that you signed up with")).toBeVisible();
  await page.getByLabel("Password").fill(INGRID.password);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.waitForURL(/\/teams\//);

  await openAccount(page, stack.url);
  await expect(panel(page, "email")).toContainText("confirmed");
  const { app, codes } = await setUpFactor(page, INGRID.password);
  expect((await mailbox.take(INGRID.email, "Your 1Lap account")).text).toContain("second factor was set up");

  await page.getByRole("banner").getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(/\/login$/);
  await enterPassword(page, INGRID.email, INGRID.password);
  await expect(page.getByRole("heading", { name: "Second step" })).toBeVisible();
  await expect(page.getByLabel("Code")).toBeFocused();
  await page.getByLabel("Code").fill("000000");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByText("This code is wrong")).toBeVisible();
  await page.getByLabel("Code").fill(app.code());
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/teams\//);

  // Somebody else's browser, in which the phone was not at hand.
  const other = await (await browser.newContext()).newPage();
  await other.goto(`${stack.url}/account`);
  await other.waitForURL(/\/login\?next=/);
  await enterPassword(other, INGRID.email, INGRID.password);
  await other.getByRole("button", { name: "I cannot use the app" }).click();
  await other.getByLabel("Recovery code").fill(codes[0] ?? "");
  await other.getByRole("button", { name: "Log in" }).click();
  await other.waitForURL(`${stack.url}/account`);
  expect((await mailbox.take(INGRID.email, "Your 1Lap account")).text).toContain("recovery code was used");

  await openAccount(page, stack.url);
  await expect(panel(page, "second-factor")).toContainText("9 recovery codes left");
  await expect(page.locator("[data-login=this]")).toHaveCount(1);
  await expect(page.locator("[data-login=other]")).toHaveCount(1);
  await page.locator("[data-login=other]").getByRole("button").click();
  await other.waitForURL(/\/login\?next=%2Faccount$/, { timeout: NOTICED_MS });
  await expect(other.getByText("This log-in was ended")).toBeVisible();
  await expect(page.locator("[data-login=other]")).toHaveCount(0);
  await page.reload();
  await expect(page.getByText("this browser")).toBeVisible();
  expect(errors).toEqual([]);
});

withLetters("a new password by letter logs out every browser", async ({ page, stack, mailbox, browser }) => {
  await signUpByLetter(page, stack, mailbox);
  const other = await (await browser.newContext()).newPage();
  await other.goto(`${stack.url}/login`);
  await other.getByRole("link", { name: "Password forgotten?" }).click();
  await other.getByLabel("E-mail").fill(INGRID.email);
  await other.getByRole("button", { name: "Send me a link" }).click();
  await expect(other.getByText(`We have written to ${INGRID.email}`)).toBeVisible();
  const link = linkOf(await mailbox.take(INGRID.email, "A new password"));
  await other.goto(link);
  await expect(other).toHaveURL(`${stack.url}/reset`);
  await other.getByLabel("New password").fill("short");
  await other.getByRole("button", { name: "Set password" }).click();
  await expect(other.getByText(/at least 10/)).toBeVisible();
  await other.getByLabel("New password").fill("another horse battery");
  await other.getByRole("button", { name: "Set password" }).click();
  await expect(other.getByRole("main")).toContainText("Your new password is set");
  await page.waitForURL(/\/login\?next=/, { timeout: NOTICED_MS });
  await enterPassword(other, INGRID.email, "another horse battery");
  await other.waitForURL(/\/teams\//);
  // The link is good once.
  await page.goto(link);
  await page.getByLabel("New password").fill("a third horse battery");
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByText("This link is no longer good")).toBeVisible();
});

test("where no mail is sent, the pages say where the links are", async ({ page, stack }) => {
  await page.goto(`${stack.url}/signup`);
  await expect(page.getByText("the link that confirms it is in the service’s log")).toBeVisible();
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  await page.goto(await linkInLog(stack, "/confirm-email"));
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByText(`${INGRID.email} is the address of your account`)).toBeVisible();

  await openAccount(page, stack.url);
  await expect(panel(page, "email")).toContainText("✓ confirmed");
  await page.getByRole("button", { name: "Change the address" }).click();
  await dialog(page).getByLabel("New address").fill("ingrid@other.example");
  await dialog(page).getByLabel("Password").fill(INGRID.password);
  await dialog(page).getByRole("button", { name: "Change the address" }).click();
  await expect(page.getByTestId("pending-email")).toContainText("ingrid@other.example waits to be confirmed");
  await expect(panel(page, "email")).toContainText("is in the service’s log");
  await page.goto(await linkInLog(stack, "/confirm-email", 2));
  await page.getByRole("button", { name: "Confirm" }).click();
  await openAccount(page, stack.url);
  await expect(panel(page, "email")).toContainText("ingrid@other.example");
  await expect(page.getByTestId("pending-email")).toHaveCount(0);
});

test("what needs the password lately shown asks for it once and is done then", async ({ page, context, stack }) => {
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  // An hour later: the next access token says so.
  await stack.sql("UPDATE logins SET authenticated_at = now() - interval '1 hour'");
  await context.clearCookies({ name: /access/ });
  await openAccount(page, stack.url);
  await page.getByRole("button", { name: "Download my data" }).click();
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("This was not done: it needs your password.")).toBeVisible();

  await page.getByRole("button", { name: "Download my data" }).click();
  await expect(dialog(page).getByLabel("Password")).toBeFocused();
  await dialog(page).getByLabel("Password").fill("wrong horse battery");
  await dialog(page).getByRole("button", { name: "Confirm" }).click();
  await expect(dialog(page).getByText("This is not your password")).toBeVisible();
  await dialog(page).getByLabel("Password").fill(INGRID.password);
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    dialog(page).getByRole("button", { name: "Confirm" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe("1lap-account.json");
  const { account, teams } = JSON.parse(readFileSync(await file.path(), "utf8"));
  expect([account.email, teams[0].name]).toEqual([INGRID.email, INGRID.team]);
});

test("the only owner of a team is told the way out; whoever is in none can go", async ({ page, stack }) => {
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  await openAccount(page, stack.url);
  await page.getByRole("button", { name: "Delete the account" }).click();
  await expect(dialog(page)).toContainText(`You leave ${INGRID.team}`);
  await dialog(page).getByLabel("Password").fill(INGRID.password);
  await dialog(page).getByRole("button", { name: "for good" }).click();
  await expect(dialog(page).getByRole("heading", { name: "A team would have no owner" })).toBeVisible();
  await dialog(page).getByRole("link", { name: INGRID.team }).click();
  await page.waitForURL(/\/teams\/[^/]+\/settings$/);
  await page.getByRole("banner").getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(/\/login$/);

  const person = { email: "otto@example.org", password: "correct horse battery" };
  const data = { ...person, name: "Otto" };
  expect((await page.request.post(`${stack.url}/api/auth/signup`, { headers: { origin: stack.url }, data })).status()).toBe(201);
  await page.goto(stack.url);
  await expect(page.getByRole("heading", { name: "You are in no team" })).toBeVisible();
  await openAccount(page, stack.url);
  await page.getByRole("button", { name: "Delete the account" }).click();
  await dialog(page).getByLabel("Password").fill(person.password);
  await dialog(page).getByRole("button", { name: "for good" }).click();
  await page.waitForURL(/\/login$/);
  await expect(page.getByRole("main")).toContainText("Your account was deleted");
  await enterPassword(page, person.email, person.password);
  await expect(page.getByText("the password is wrong")).toBeVisible();
});

test("logging out everywhere reaches the other browser", async ({ page, stack, browser }) => {
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  const other = await (await browser.newContext()).newPage();
  await logIn(other, stack.url, INGRID);
  await openAccount(page, stack.url);
  await page.getByRole("button", { name: "Log out everywhere" }).click();
  await dialog(page).getByRole("button", { name: "Log out everywhere" }).click();
  await page.waitForURL(/\/login$/);
  await expect(page.getByRole("main")).toContainText("You are logged out in every browser");
  await other.waitForURL(/\/login\?next=/, { timeout: NOTICED_MS });
});

test("who guesses passwords is told how long to wait", async ({ page, stack }) => {
  await page.goto(`${stack.url}/login`);
  const wait = page.getByRole("button", { name: /^Again in \d+ s$/ });
  await expect(async () => {
    await enterPassword(page, "nobody@example.org", "not the password");
    await expect(wait).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 60_000, intervals: [0] });
  await expect(page.getByRole("alert")).toContainText(/too many failed log-ins.*try again in/i);
});
