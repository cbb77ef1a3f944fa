// The rig's uplink is gone for a while in the middle of a lap: the page says so, is live again at once, shows the stretch
// as a gap, and then what was missed, at its place and marked.

import type { Locator } from "@playwright/test";
import { expect, test, until } from "../harness.js";
import { Link } from "../link.js";
import { freePort } from "../program.js";

const AWAY_MS = 12_000;

/** What the trace says of gaps from now on, each once and without times that move. */
async function follow(trace: Locator): Promise<() => Promise<string[]>> {
  const seen = await trace.evaluateHandle((element) => {
    const texts: string[] = [];
    new MutationObserver(() => {
      const text = (element as HTMLElement).dataset.gaps ?? "";
      if (text.slice(0, 6) !== texts.at(-1)?.slice(0, 6)) texts.push(text);
    }).observe(element, { attributes: true, attributeFilter: ["data-gaps"] });
    return texts;
  });
  return () => seen.jsonValue();
}

test("what was missed while the rig was offline comes later, to its place", async ({ page, stack }) => {
  test.setTimeout(240_000);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));

  const headers = { origin: stack.url };
  const person = { name: "Ingrid", email: "ingrid@example.org", password: "correct horse battery", team_name: "Ours" };
  await page.request.post(`${stack.url}/api/auth/signup`, { headers, data: person });
  const { teams } = await (await page.request.get(`${stack.url}/api/me`)).json();
  const team = teams[0].id as string;
  const made = await page.request.post(`${stack.url}/api/teams/${team}/rigs`, { headers, data: { name: "RIG_A" } });
  const { rig, token } = await made.json();

  const link = await Link.to(stack.url, await freePort());
  const game = await stack.startFakeGame("--track", "short", "--cars", "6", "--seed", "7");
  stack.startAgent(token, "--server", link.url);
  await page.goto(`${stack.url}/live/${rig.id}`);
  const head = page.locator("[data-panel=strip]");
  const condition = head.locator("[data-condition]");
  const trace = page.getByRole("img", { name: /Speed, throttle and brake/ });
  await expect(condition).toHaveAttribute("data-condition", "live", { timeout: 30_000 });
  await page.getByRole("button", { name: "2 min" }).click();
  await until("the car to be driven", async () => ((await game.state()).speed_kmh > 100 ? true : undefined));

  const shown = await follow(trace);

  link.cut();
  const began = Date.now();
  await expect(head).toContainText("rig not connected");
  await until("a while without a link", async () => (Date.now() - began > AWAY_MS ? true : undefined));
  await link.mend();
  await expect(condition).toHaveAttribute("data-condition", "live", { timeout: 30_000 });
  // What is missing is missing first, nothing is drawn across; and then it is there, and said to have come later.
  await expect(trace).toHaveAttribute("data-gaps", /^; arrived later \d\d:\d\d:\d\d–\d\d:\d\d:\d\d$/, { timeout: 60_000 });
  expect(await shown()).toEqual([expect.stringMatching(/^; no data \d\d:\d\d:\d\d–/), expect.stringMatching(/^; arrived later/)]);
  await expect(condition).toHaveAttribute("data-condition", "live");

  await page.getByRole("navigation", { name: "Team" }).getByRole("link", { name: "Rigs" }).click();
  await expect(page.locator("[data-rig=RIG_A]")).toContainText(/Recorded up to \d+ s ago/, { timeout: 60_000 });
  expect(errors).toEqual([]);
});
