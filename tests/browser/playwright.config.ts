// Browser tests against the real service, the real agent and the fake game; see harness.ts.

import { defineConfig } from "@playwright/test";
import { findChromium } from "./chromium.mjs";

const executablePath = await findChromium();
if (!executablePath) throw new Error("no Chromium found: run deploy/dev/setup.sh browser, or set ONELAP_CHROMIUM");

export default defineConfig({
  testDir: "specs",
  outputDir: "test-results",
  // Every test has a stack of its own, so files may run side by side; each stack is five processes.
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  forbidOnly: !!process.env.CI,
  retries: 0,
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    headless: true,
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    timezoneId: "UTC",
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
