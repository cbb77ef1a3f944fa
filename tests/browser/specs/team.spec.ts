// A team and its members: invited by link and by e-mail, with a role that decides what they see, removed while they watch.

import { createHash } from "node:crypto";
import type { Browser, Page } from "@playwright/test";
import { expect, type Stack, test } from "../harness.js";
import { INGRID, signUp } from "../people.js";
import {
  condition,
  dialog,
  drive,
  inviteByLink,
  joinAsNew,
  lost,
  makeFirstRig,
  member,
  openSettings,
  panel,
  rig,
  teamOf,
} from "../team.js";

/** A right that was taken away is to be gone from every open page within five seconds. */
const NOTICED_MS = 5000;

/** Whoever runs the service. */
const OPERATOR = "the operator's token, for tests";
test.use({
  stackOptions: {
    host: "localhost",
    env: { OPERATOR_TOKEN_SHA256: createHash("sha256").update(OPERATOR).digest("hex") },
  },
});

const MAX = { name: "Max Muster", email: "max@example.org", password: "a pit wall of my own" };
const DORA = { name: "Dora Driver", email: "dora@example.org", password: "flat out in the wet" };

/** A page in a browser of its own, without anybody's cookies. */
async function otherBrowser(browser: Browser): Promise<Page> {
  return (await browser.newContext()).newPage();
}

/** Ingrid's team, with her on its settings. */
async function found(page: Page, stack: Stack): Promise<string> {
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  const team = teamOf(page);
  await openSettings(page, stack.url, team);
  return team;
}

test("invited by link, joined as engineer, removed while watching", async ({ page, browser, stack }) => {
  await signUp(page, stack.url, INGRID);
  const token = await makeFirstRig(page);
  await drive(stack, token);
  await page.waitForURL(/\/live\//, { timeout: 30_000 });
  await page.getByRole("link", { name: "Team", exact: true }).click();
  const team = teamOf(page);
  const link = await inviteByLink(page, "Engineer");
  expect(new URL(link).origin).toBe(stack.url);
  await expect(panel(page, "invitations")).toContainText("Whoever has the link");

  const theirs = await otherBrowser(browser);
  await theirs.goto(link);
  await expect(theirs.getByTestId("invitation")).toContainText(`invited to the team ${INGRID.team} as an engineer`);
  expect(theirs.url(), "the secret is not left in the address").toBe(`${stack.url}/join`);
  await joinAsNew(theirs, link, MAX);
  await expect(condition(rig(theirs, "RIG_A"))).toHaveAttribute("data-condition", "live");
  await expect(theirs.getByRole("button", { name: "Add a rig" })).toBeVisible();
  await rig(theirs, "RIG_A").getByRole("link", { name: "Dashboard" }).click();
  await expect(condition(theirs)).toHaveAttribute("data-condition", "live");
  await expect(theirs.locator('[data-channel="fuel"]').first()).not.toHaveText("—");

  const late = await otherBrowser(browser);
  await late.goto(link);
  await expect(late.getByRole("heading", { name: "This invitation is over" })).toBeVisible();
  await expect(late.getByText("This invitation was used already")).toBeVisible();

  await openSettings(page, stack.url, team);
  await member(page, MAX.name).getByRole("button", { name: `Remove ${MAX.name}` }).click();
  await dialog(page).getByRole("button", { name: "Remove from the team" }).click();
  await expect(member(page, MAX.name)).toHaveCount(0);
  await expect(lost(theirs)).toContainText(`You are no longer a member of ${INGRID.team}`, { timeout: NOTICED_MS });
  await expect(theirs.locator("[data-channel]")).toHaveCount(0);
  const refused = await theirs.request.get(`${stack.url}/api/teams/${team}/rigs`);
  expect(refused.status()).toBe(404);
  await theirs.getByRole("link", { name: "To the start page" }).click();
  await expect(theirs.getByRole("heading", { name: "You are in no team" })).toBeVisible();

  await page.getByRole("link", { name: "Audit log" }).click();
  const entries = page.locator("[data-act]");
  await expect(entries.first()).toContainText(`${INGRID.name} removed ${MAX.name} from the team.`);
  await expect(page.locator("[data-act='member.joined']")).toContainText(`${MAX.name} joined as an engineer.`);
  await expect(page.locator("[data-act='token.made']")).toContainText("for the rig “RIG_A”");
  await page.getByLabel("What", { exact: true }).selectOption("member.invited");
  await expect(entries).toHaveCount(1);
  await expect(entries).toContainText(`${INGRID.name} invited whoever gets the link as an engineer.`);
  await page.getByLabel("Done by", { exact: true }).selectOption({ label: MAX.name });
  await expect(page.getByText("Nothing of that kind")).toBeVisible();
  await page.getByRole("button", { name: "Show all" }).click();
  await expect(page.locator("[data-act='team.founded']")).toBeVisible();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export as CSV" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe("audit.csv");
});

test("an invitation by e-mail is for its address; what cannot be taken says why", async ({ page, browser, stack }) => {
  const team = await found(page, stack);
  await page.getByRole("button", { name: "Invite by e-mail" }).click();
  await dialog(page).getByLabel("E-mail").fill("dora@");
  await dialog(page).getByRole("radio", { name: /^Driver/ }).check();
  await dialog(page).getByRole("button", { name: "Send invitation" }).click();
  await expect(dialog(page).getByText("This is not an e-mail address")).toBeVisible();
  await dialog(page).getByLabel("E-mail").fill(DORA.email);
  await dialog(page).getByRole("button", { name: "Send invitation" }).click();
  await expect(dialog(page)).toContainText(`${DORA.email} is invited as a driver`);
  await dialog(page).getByRole("button", { name: "Good" }).click();
  const [, forDora = ""] = await stack.service.line(/(http:\/\/\S+\/join#\w+)/);

  const theirs = await otherBrowser(browser);
  await theirs.goto(`${forDora.slice(0, -3)}`);
  await expect(theirs.getByRole("heading", { name: "This link is not whole" })).toBeVisible();
  await signUp(theirs, stack.url, { ...MAX, team: "Theirs" });
  await theirs.waitForURL(/\/teams\//);
  await theirs.goto(forDora);
  await theirs.getByRole("button", { name: "Join the team" }).click();
  await expect(theirs.getByRole("alert")).toContainText("This invitation is for another address");
  await theirs.getByRole("button", { name: "Use another account" }).click();
  await theirs.getByRole("link", { name: "Make an account" }).click();
  await joinAsNew(theirs, forDora, DORA);
  await expect(theirs.getByRole("heading", { name: INGRID.team })).toBeVisible();
  await expect(theirs.getByText("No rigs yet")).toBeVisible();

  const byLink = await inviteByLink(page, "Viewer");
  await panel(page, "invitations").getByRole("button", { name: /^Revoke/ }).click();
  await dialog(page).getByRole("button", { name: "Revoke invitation" }).click();
  await expect(panel(page, "invitations")).toContainText("No invitation is open");
  await theirs.goto(byLink);
  await expect(theirs.getByText("This invitation was revoked")).toBeVisible();

  const old = await inviteByLink(page, "Viewer");
  // Not even the owner of the tables sees a team's rows without naming the team.
  await stack.sql(`set app.team = '${team}'; update invitations set expires_at = now() where accepted_at is null`);
  await theirs.goto(old);
  await expect(theirs.getByText("This invitation has expired")).toBeVisible();
});

test("a role decides what is there; the team is handed over, left and disabled", async ({ page, browser, stack, request }) => {
  const team = await found(page, stack);
  const theirs = await otherBrowser(browser);
  await joinAsNew(theirs, await inviteByLink(page, "Viewer"), MAX);
  await expect(theirs.getByText("No rigs yet")).toBeVisible();
  await expect(theirs.getByRole("button", { name: "Add a rig" })).toHaveCount(0);
  await openSettings(theirs, stack.url, team);
  await expect(member(theirs, INGRID.name)).not.toContainText(INGRID.email);
  await expect(panel(theirs, "members")).toContainText("one has to be owner");
  await expect(theirs.getByRole("button", { name: /role|Remove|Invite|Rename|Export|Delete|Hand/ })).toHaveCount(0);
  for (const page of ["keys", "audit", "shares"]) {
    await theirs.goto(`${stack.url}/teams/${team}/${page}`);
    await expect(theirs.getByRole("heading", { name: "This page is not for your role" })).toBeVisible();
  }

  await page.reload();
  await member(page, MAX.name).getByRole("button", { name: /^Change the role/ }).click();
  await dialog(page).getByRole("radio", { name: /^Engineer/ }).check();
  await dialog(page).getByRole("button", { name: "Change role" }).click();
  await expect(member(page, MAX.name).locator("[data-role=engineer]")).toBeVisible();
  await theirs.goto(`${stack.url}/teams/${team}/keys`);
  await expect(theirs.getByRole("button", { name: "Make a key" })).toBeVisible();

  const toTeam = panel(page, "team");
  await expect(toTeam).toContainText("You are the only owner");
  await expect(toTeam.getByRole("button", { name: "Leave the team" })).toHaveCount(0);
  await toTeam.getByRole("button", { name: "Rename" }).click();
  await dialog(page).getByLabel("Name").fill("Ours Racing");
  await dialog(page).getByRole("button", { name: "Rename" }).click();
  await expect(page.getByRole("heading", { name: "Ours Racing" })).toBeVisible();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    toTeam.getByRole("button", { name: "Export everything" }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/^ours-racing-.*\.ndjson$/);
  await expect(toTeam).toContainText("The export is whole");

  await toTeam.getByRole("button", { name: "Delete the team" }).click();
  await dialog(page).getByRole("button", { name: "Delete the team" }).click();
  await expect(toTeam).toContainText("The team will be deleted");
  await theirs.goto(`${stack.url}/teams/${team}`);
  await expect(theirs.getByText(/Ours Racing will be deleted/)).toBeVisible();
  await toTeam.getByRole("button", { name: "Keep the team" }).click();
  await dialog(page).getByRole("button", { name: "Keep the team" }).click();
  await expect(toTeam.getByRole("button", { name: "Delete the team" })).toBeVisible();

  await toTeam.getByRole("button", { name: "Hand over" }).click();
  await dialog(page).getByRole("button", { name: "Hand over" }).click();
  await expect(member(page, MAX.name).locator("[data-role=owner]")).toBeVisible();
  await expect(panel(page, "invitations")).toHaveCount(0);
  await toTeam.getByRole("button", { name: "Leave the team" }).click();
  await dialog(page).getByRole("button", { name: "Leave the team" }).click();
  await expect(page.getByRole("heading", { name: "You are in no team" })).toBeVisible();

  const operate = async (what: string) => {
    const headers = { authorization: `Bearer ${OPERATOR}` };
    const data = { reason: "unpaid since May" };
    const done = await request.post(`${stack.url}/api/operator/teams/${team}/${what}`, { headers, data });
    expect(done.status(), await done.text()).toBe(204);
  };
  await theirs.reload();
  await expect(theirs.getByRole("heading", { name: "From nothing to live" })).toBeVisible();
  await operate("disable");
  await expect(theirs.getByRole("heading", { name: "Ours Racing is disabled" })).toBeVisible({ timeout: NOTICED_MS });
  await expect(theirs.getByText("unpaid since May")).toBeVisible();
  await operate("enable");
  await theirs.getByRole("button", { name: "Look again" }).click();
  await expect(theirs.getByRole("heading", { name: "From nothing to live" })).toBeVisible();
});
