/** Rules of `deno lint`: in lib/ no file over 250 lines and no function over 40, in tests/ no more than 9 lines of imports. */

const FILE_LINES = 250;
const FUNCTION_LINES = 40;
const IMPORT_LINES = 9;

/** Lines from the first character of a node to its last one. */
function linesOf(text: string): number {
  return text.split("\n").length;
}

/** Whether the limits on files and functions apply: tests and scripts may be longer. */
function isInLib(filename: string): boolean {
  return /[\\/]lib[\\/]/.test(filename);
}

const fileLines: Deno.lint.Rule = {
  create: (context) => ({
    Program(node) {
      if (!isInLib(context.filename)) return;
      const lines = linesOf(context.sourceCode.text.trimEnd());
      if (lines > FILE_LINES) {
        context.report({ node, message: `${lines} lines; a file of lib/ has at most ${FILE_LINES}` });
      }
    },
  }),
};

const functionLines: Deno.lint.Rule = {
  create(context) {
    if (!isInLib(context.filename)) return {};
    const check = (node: Deno.lint.Node) => {
      const lines = linesOf(context.sourceCode.getText(node));
      if (lines > FUNCTION_LINES) {
        context.report({ node, message: `${lines} lines; a function of lib/ has at most ${FUNCTION_LINES}` });
      }
    };
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};

const importLines: Deno.lint.Rule = {
  create: (context) => ({
    Program(node) {
      if (!/[\\/]tests[\\/]/.test(context.filename)) return;
      const imports = node.body.filter(({ type }) => type === "ImportDeclaration");
      const lines = imports.reduce((sum, each) => sum + linesOf(context.sourceCode.getText(each)), 0);
      if (lines <= IMPORT_LINES) return;
      const advice = "split it by subject, or move its set-up to a fixture";
      context.report({
        node,
        message: `${lines} lines of imports; a file of tests/ has at most ${IMPORT_LINES}: ${advice}`,
      });
    },
  }),
};

const plugin: Deno.lint.Plugin = {
  name: "sizes",
  rules: { "file-lines": fileLines, "function-lines": functionLines, "import-lines": importLines },
};

export default plugin;
