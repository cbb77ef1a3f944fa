// An installation on a private network, without https.

import { expect, test } from "../harness.js";
import { INGRID, signUp } from "../people.js";

test.use({
  stackOptions: { host: "relay.test", env: {} },
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, args: [...(launchOptions.args ?? []), "--host-resolver-rules=MAP relay.test 127.0.0.1"] });
  },
});

test("the team's page says that others can read along", async ({ page, stack }) => {
  await signUp(page, stack.url, INGRID);
  await page.waitForURL(/\/teams\//);
  await page.getByRole("navigation", { name: "Team", exact: true }).getByRole("link", { name: "Team" }).click();
  await expect(page.getByText("Not encrypted.")).toBeVisible();
});
