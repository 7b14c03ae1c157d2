// Shows /openapi.json. Text from the document is only ever set as text, never as markup.
"use strict";

const TEXTS = {
  en: {
    skip: "Skip to content", find: "Find", loading: "Loading …", contents: "Contents", language: "中文",
    parameters: "Parameters", request: "Request", answer: "Answer", problems: "Problems", schemas: "Schemas",
    name: "Name", type: "Type", meaning: "Meaning", required: "required", example: "Example", status: "Status",
    code: "Code", one_of: "one of", list_of: "list of", by_key: "by key", nothing: "Nothing fits.", in: "in",
    failed: "The document could not be read: ",
  },
  "zh-CN": {
    skip: "跳到正文", find: "查找", loading: "正在载入……", contents: "目录", language: "English",
    parameters: "参数", request: "请求", answer: "应答", problems: "错误", schemas: "数据结构",
    name: "名称", type: "类型", meaning: "含义", required: "必填", example: "示例", status: "状态码",
    code: "代码", one_of: "其一", list_of: "列表：", by_key: "按键：", nothing: "没有匹配的内容。", in: "位于",
    failed: "无法读取文档：",
  },
};
const TAGS = {
  Activities: "行为", Members: "会员", Redemptions: "兑换", Program: "计划", Operation: "运行",
};

let language = navigator.language.startsWith("zh") ? "zh-CN" : "en";
let api = null;

const say = (key) => TEXTS[language][key];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Back quotes, bold, lists and paragraphs are all the markup that descriptions use.
function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return element("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return element("strong", {}, part.slice(2, -2));
    return part;
  });
}

function prose(text) {
  return (text || "").split(/\n\n+/).filter(Boolean).flatMap((block) => {
    const lines = block.split("\n");
    const first = lines.findIndex((line) => line.startsWith("- "));
    if (first < 0) return [element("p", {}, ...inline(lines.join(" ")))];
    const items = lines.slice(first).map((line) => element("li", {}, ...inline(line.replace(/^- /, ""))));
    const lead = lines.slice(0, first).join(" ");
    return [lead ? element("p", {}, ...inline(lead)) : "", element("ul", {}, ...items)];
  });
}

function json(value) {
  return element("pre", { tabindex: "0" }, element("code", {}, JSON.stringify(value, null, 2)));
}

const nameOf = (reference) => reference.split("/").pop();

function typeOf(schema) {
  if (!schema || typeof schema !== "object") return [""];
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return [element("a", { href: `#schema-${name}` }, name)];
  }
  const parts = schema.anyOf || schema.oneOf;
  if (parts) return parts.flatMap((part, n) => (n ? [" | ", ...typeOf(part)] : typeOf(part)));
  if ("const" in schema) return [element("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) {
    return schema.enum.flatMap((value, n) => [n ? " | " : "", element("code", {}, JSON.stringify(value))]);
  }
  if (schema.type === "array") return [say("list_of"), " ", ...typeOf(schema.items)];
  if (schema.type === "object" && schema.additionalProperties && typeof schema.additionalProperties === "object") {
    return [say("by_key"), " ", ...typeOf(schema.additionalProperties)];
  }
  const bounds = [
    ["minLength", "≥"], ["maxLength", "≤"], ["minimum", "≥"], ["maximum", "≤"], ["pattern", ""],
  ].filter(([key]) => key in schema).map(([key, sign]) => `${sign}${schema[key]}`);
  const shown = Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type || "any";
  return [shown + (bounds.length ? ` (${bounds.join(", ")})` : "")];
}

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

function row(...cells) {
  return element("tr", {}, ...cells.map((cell) => element("td", {}, ...[].concat(cell))));
}

function properties(schema) {
  if (!schema.properties) return element("p", {}, ...typeOf(schema));
  const needed = new Set(schema.required || []);
  const rows = Object.entries(schema.properties).map(([name, property]) => row(
    [element("code", {}, name), needed.has(name) ? ` ${say("required")}` : ""],
    typeOf(property),
    prose(property.description),
  ));
  return table([say("name"), say("type"), say("meaning")], rows);
}

function content(of, title) {
  const shown = [];
  for (const [media, body] of Object.entries(of || {})) {
    shown.push(element("h4", {}, `${title} `, element("span", { class: "quiet" }, media)));
    shown.push(element("p", {}, ...typeOf(body.schema)));
    if (body.example !== undefined) {
      shown.push(element("details", {}, element("summary", {}, say("example")), json(body.example)));
    }
  }
  return shown;
}

function summaryOf(operation) {
  return language === "en" ? operation.summary : operation["x-summary-zh-CN"];
}

function codeTexts(codes, status) {
  return codes.map((code) => row(String(status), [element("code", {}, code)], api["x-codes"][code]?.[language] || ""));
}

function operationSection(path, method, operation) {
  const parts = [
    element("h3", {}, summaryOf(operation)),
    element("p", {}, element("span", { class: `method ${method}` }, method.toUpperCase()), " ", element("code", {}, path)),
    ...prose(operation.description),
  ];
  if (operation.parameters) {
    const rows = operation.parameters.map((parameter) => row(
      [element("code", {}, parameter.name), parameter.required ? ` ${say("required")}` : ""],
      [...typeOf(parameter.schema), element("div", { class: "quiet" }, `${say("in")} ${parameter.in}`)],
      prose(parameter.description),
    ));
    parts.push(element("h4", {}, say("parameters")), table([say("name"), say("type"), say("meaning")], rows));
  }
  if (operation.requestBody) parts.push(...content(operation.requestBody.content, say("request")));
  const problems = [];
  for (const [status, response] of Object.entries(operation.responses)) {
    const problem = response.content?.["application/problem+json"];
    if (problem) problems.push(...codeTexts(Object.keys(problem.examples), status));
    else parts.push(...content(response.content, `${say("answer")} ${status}`));
  }
  const listed = table([say("status"), say("code"), say("meaning")], problems);
  parts.push(element("details", {}, element("summary", {}, say("problems")), listed));
  const words = `${path} ${operation.summary} ${operation["x-summary-zh-CN"]} ${operation.operationId}`;
  return element("section", { id: operation.operationId, "data-words": words.toLowerCase() }, ...parts);
}

function operations() {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
}

function show() {
  document.documentElement.lang = language;
  document.querySelectorAll("[data-text]").forEach((node) => { node.textContent = say(node.dataset.text); });
  const button = document.getElementById("language");
  button.textContent = say("language");
  button.lang = language === "en" ? "zh-CN" : "en";
  const contents = document.getElementById("contents");
  contents.setAttribute("aria-label", say("contents"));
  const main = document.getElementById("main");
  contents.replaceChildren();
  main.replaceChildren(...prose(api.info.description));
  for (const tag of api.tags) {
    const title = language === "en" ? tag.name : TAGS[tag.name] || tag.name;
    const mine = operations().filter(({ operation }) => operation.tags.includes(tag.name));
    const links = mine.map(({ operation }) => element(
      "li", { "data-for": operation.operationId },
      element("a", { href: `#${operation.operationId}` }, summaryOf(operation)),
    ));
    contents.append(element("h2", {}, title), element("ul", {}, ...links));
    main.append(element("h2", {}, title), ...mine.map((each) => operationSection(each.path, each.method, each.operation)));
  }
  main.append(element("h2", { id: "schemas" }, say("schemas")));
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    main.append(element(
      "section", { id: `schema-${name}`, "data-words": name.toLowerCase() },
      element("h3", {}, name), ...prose(schema.description), properties(schema),
    ));
  }
  find();
}

function find() {
  const wanted = document.getElementById("find").value.trim().toLowerCase();
  for (const section of document.querySelectorAll("main section")) {
    section.hidden = wanted !== "" && !section.dataset.words.includes(wanted);
  }
  for (const item of document.querySelectorAll("nav [data-for]")) {
    item.hidden = document.getElementById(item.dataset.for).hidden;
  }
}

async function start() {
  try {
    const response = await fetch("/openapi.json");
    api = await response.json();
  } catch (error) {
    document.getElementById("main").textContent = say("failed") + error.message;
    return;
  }
  document.getElementById("title").textContent = `${api.info.title} API ${api.info.version}`;
  document.getElementById("find").addEventListener("input", find);
  document.getElementById("language").addEventListener("click", () => {
    language = language === "en" ? "zh-CN" : "en";
    show();
  });
  show();
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

start();
