// Figures that alerts and dashboards name must exist; alerts must be tested and have an entry in the runbook.
//
//   node deploy-check.mjs OUT      OUT: the dashboards' queries as a rules file, for promtool
//
// A figure exists when the service's source names it. One that is agreed and not served yet is in PLANNED, and said.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PLANNED = [];

const wrong = [];
const filesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)],
  );

// ---- names ------------------------------------------------------------------------------------------------------------

const served = new Set(
  filesBelow("service/src")
    .filter((file) => file.endsWith(".rs"))
    .flatMap((file) => [...readFileSync(file, "utf8").matchAll(/"(onelap_[a-z0-9_]+)"/g)].map((match) => match[1])),
);
const exists = (name) => [name, name.replace(/_(bucket|sum|count)$/, "")].some((each) => served.has(each) || PLANNED.includes(each));

const dashboards = readdirSync("deploy/grafana/dashboards").map((name) => join("deploy/grafana/dashboards", name));
for (const file of ["deploy/prometheus/rules.yml", "deploy/prometheus/rules.test.yml", ...dashboards]) {
  const names = new Set(readFileSync(file, "utf8").match(/\bonelap_[a-z0-9_]+/g));
  for (const name of names) if (!exists(name)) wrong.push(`${file}: the service has no figure ${name}`);
}
for (const name of PLANNED.filter((each) => !served.has(each))) console.log(`note     ${name} is not served yet`);

// ---- dashboards -------------------------------------------------------------------------------------------------------

const queries = [];
for (const file of dashboards) {
  const { panels, uid } = JSON.parse(readFileSync(file, "utf8"));
  if (!uid) wrong.push(`${file}: no uid`);
  const ids = panels.map((panel) => panel.id);
  if (new Set(ids).size !== ids.length) wrong.push(`${file}: two panels have the same id`);
  for (const panel of panels) {
    if (panel.type !== "row" && !panel.targets?.length) wrong.push(`${file}: "${panel.title}" asks for nothing`);
    for (const { expr, datasource } of panel.targets ?? []) {
      if (datasource?.uid !== "prometheus") wrong.push(`${file}: "${panel.title}" asks another data source than prometheus`);
      queries.push(expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"));
    }
  }
}
const rules = queries.map((query, at) => `      - { record: "query_${at}", expr: ${JSON.stringify(query)} }`);
writeFileSync(process.argv[2], ["groups:", "  - name: dashboards", "    rules:", ...rules, ""].join("\n"));

// ---- alerts -----------------------------------------------------------------------------------------------------------

const tests = readFileSync("deploy/prometheus/rules.test.yml", "utf8");
const runbook = readFileSync("deploy/README.md", "utf8");
for (const [, alert, body] of readFileSync("deploy/prometheus/rules.yml", "utf8").matchAll(/- alert: (\w+)\n([\s\S]*?)(?=\n *- |\n*$)/g)) {
  if (!/severity: (critical|warning)/.test(body)) wrong.push(`${alert}: severity is neither critical nor warning`);
  if (!body.includes(`runbook: deploy/README.md#${alert.toLowerCase()}\n`) && !body.endsWith(`#${alert.toLowerCase()}`)) wrong.push(`${alert}: its runbook is not deploy/README.md#${alert.toLowerCase()}`);
  if (!new RegExp(`^#+ ${alert}$`, "m").test(runbook)) wrong.push(`${alert}: deploy/README.md has no heading "${alert}"`);
  if (!new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n`).test(tests)) wrong.push(`${alert}: rules.test.yml has no case in which it fires`);
}

for (const what of wrong) console.log(what);
process.exitCode = wrong.length ? 1 : 0;
