// What programs log in with: a rig's token that is replaced and revoked while the car drives, and an API key.

import { expect, test } from "../harness.js";
import { INGRID, signUp } from "../people.js";
import { condition, dialog, drive, makeFirstRig, openSettings, panel, rig, shownToken, teamOf } from "../team.js";

/** A right that was taken away is to be gone within five seconds. */
const NOTICED_MS = 5000;

test("a token is replaced while the car drives, and revoked", async ({ page, stack }) => {
  await signUp(page, stack.url, INGRID);
  const first = await makeFirstRig(page);
  const team = teamOf(page);
  await drive(stack, first);
  await page.waitForURL(/\/live\//, { timeout: 30_000 });
  await page.goto(`${stack.url}/teams/${team}`);
  const card = rig(page, "RIG_A");
  await card.getByText("1 token").click();
  const [, firstId = ""] = first.match(/^1lap_rig_([^_]+)_/) ?? [];
  const token = (id: string) => card.locator(`[data-token="${id}"]`);
  await expect(token(firstId)).toContainText(/last used \d{4}-.* from 127\.0\.0\.1/);
  await expect(token(firstId)).toContainText("does not expire");

  await token(firstId).getByRole("button", { name: "Replace" }).click();
  await dialog(page).getByLabel("The old token is good for").selectOption("1");
  await dialog(page).getByRole("button", { name: "Make the new token" }).click();
  await expect(dialog(page)).toContainText("one more hour");
  const second = await shownToken(page);
  expect(second).not.toBe(first);
  await dialog(page).getByRole("button", { name: "I have copied it" }).click();
  await expect(token(firstId)).toContainText(/expires in \d+ min/);
  await expect(condition(card), "the agent goes on with the old one").toHaveAttribute("data-condition", "live");

  await token(firstId).getByRole("button", { name: "Revoke" }).click();
  await dialog(page).getByRole("button", { name: "Revoke token" }).click();
  await expect(condition(card)).toHaveAttribute("data-condition", "offline", { timeout: NOTICED_MS });
  await expect(token(firstId)).toContainText("revoked");
  await expect(token(firstId).getByRole("button")).toHaveCount(0);
  await expect(card.getByText("1 token, 1 expired or revoked")).toBeVisible();

  stack.startAgent(second);
  await expect(condition(card)).toHaveAttribute("data-condition", "live", { timeout: 30_000 });
});

test("an API key is shown once, reads what it may, and ends when it is revoked", async ({ page, stack, request }) => {
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  const team = teamOf(page);
  await openSettings(page, stack.url, team);
  await page.getByRole("link", { name: "API keys" }).click();
  await page.getByRole("button", { name: "Make a key" }).click();
  await dialog(page).getByRole("checkbox", { name: /^History/ }).uncheck();
  await dialog(page).getByRole("button", { name: "Make key" }).click();
  await expect(dialog(page).getByText("The name is missing")).toBeVisible();
  await expect(dialog(page).getByText("What it may read is missing")).toBeVisible();
  await dialog(page).getByLabel("Name", { exact: true }).fill("Fuel spreadsheet");
  await dialog(page).getByRole("checkbox", { name: /^History/ }).check();
  await dialog(page).getByRole("button", { name: "Make key" }).click();
  const key = (await page.getByTestId("api-key").locator("code").innerText()).trim();
  const example = await dialog(page).getByTestId("key-example").locator("code").innerText();
  expect(example).not.toContain(key);
  const address = example.match(/http\S+/)?.[0] ?? "";
  const headers = { authorization: `Bearer ${key}` };
  expect((await request.get(address, { headers })).status()).toBe(200);
  await dialog(page).getByRole("button", { name: "I have copied it" }).click();

  await page.reload();
  const row = page.locator('[data-key="Fuel spreadsheet"]');
  await expect(row).toContainText(/last used .* from 127\.0\.0\.1/);
  await expect(row).toContainText("may read: History");
  expect(await page.content(), "the key is shown once").not.toContain(key);
  expect((await request.delete(`${stack.url}/api/teams/${team}/keys/x`, { headers })).status()).toBe(401);

  await row.getByRole("button", { name: "Revoke the key Fuel spreadsheet" }).click();
  await dialog(page).getByRole("button", { name: "Revoke key" }).click();
  await expect(row).toContainText("revoked");
  await expect(panel(page, "keys").getByRole("button")).toHaveCount(0);
  expect((await request.get(address, { headers })).status()).toBe(401);
});
