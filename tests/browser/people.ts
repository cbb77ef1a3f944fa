// What people do with their accounts, as often as tests need it: by the pages.

import { expect, type Page } from "@playwright/test";

export interface Person {
  name: string;
  email: string;
  password: string;
  team: string;
}

export const INGRID: Person = {
  name: "Ingrid Engineer",
  email: "ingrid@example.org",
  password: "correct horse battery",
  team: "Ours",
};

/** Fills the sign-up and sends it; what comes then is up to the installation. */
export async function signUp(page: Page, url: string, person: Person): Promise<void> {
  await page.goto(`${url}/signup`);
  await page.getByLabel("Your name").fill(person.name);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByLabel("Team").fill(person.team);
  await page.getByRole("button", { name: "Make account and team" }).click();
}

/** On the log-in page: the first step. */
export async function enterPassword(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

export async function logIn(page: Page, url: string, person: Pick<Person, "email" | "password">): Promise<void> {
  await page.goto(`${url}/login`);
  await enterPassword(page, person.email, person.password);
  await page.waitForURL((at) => at.pathname !== "/login");
}

/** Opens the account's page and waits until it is there. */
export async function openAccount(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/account`);
  await expect(page.getByText("this browser")).toBeVisible();
}
