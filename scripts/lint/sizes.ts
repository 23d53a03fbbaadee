/** Rules of `deno lint` for lib/: no file over 250 lines, no function over 40. */

const FILE_LINES = 250;
const FUNCTION_LINES = 40;

/** Lines from the first character of a node to its last one. */
function linesOf(text: string): number {
  return text.split("\n").length;
}

/** Whether the limits count for a file: tests and scripts may be longer. */
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

const plugin: Deno.lint.Plugin = {
  name: "sizes",
  rules: { "file-lines": fileLines, "function-lines": functionLines },
};

export default plugin;
