// What the compiler cannot see. Most of it watches the architecture: which way imports point, and that a core has no
// clock, no timer, no promise and no outside. test/lint.test.ts proves that each of these rules bites.
import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

/** Which of our packages each package may import. */
const DIRECTION = {
  common: [],
  level: ['common'],
  producer: ['common', 'level'],
  consumer: ['common', 'level'],
  testing: ['common'],
  cli: ['common', 'producer', 'consumer', 'testing'],
}

/** Ways to read a clock or to be called later. */
const CLOCKS = {
  Date: 'time is an argument (now), or comes from a Clock',
  performance: 'time is an argument (now), or comes from a Clock',
  setTimeout: 'a deadline is a value; the wiring arms one timer by its Clock',
  setInterval: 'a deadline is a value; the wiring arms one timer by its Clock',
  setImmediate: 'a deadline is a value; the wiring arms one timer by its Clock',
  clearTimeout: 'a deadline is a value; the wiring arms one timer by its Clock',
  clearInterval: 'a deadline is a value; the wiring arms one timer by its Clock',
}

/** Everything else that is outside. */
const OUTSIDES = {
  process: 'a core knows no process',
  console: 'tell a fact; telemetry makes the log line',
  crypto: 'random numbers are handed in',
  fetch: 'a core does no I/O',
  EventTarget: 'a core returns commands from poll()',
  globalThis: 'it is a way around the other restrictions',
  global: 'it is a way around the other restrictions',
}

const PROMISES = {
  Promise: 'a core is called, changes state and returns: nothing is awaited in it',
  queueMicrotask: 'return, and be called again',
}

const NO_RANDOM = [{ object: 'Math', property: 'random', message: 'random numbers are handed in' }]

const NO_PROMISES = [
  { selector: ':function[async=true]', message: PROMISES.Promise },
  { selector: 'AwaitExpression', message: PROMISES.Promise },
  { selector: 'ForOfStatement[await=true]', message: PROMISES.Promise },
  { selector: 'NewExpression[callee.name="EventEmitter"]', message: OUTSIDES.EventTarget },
]
const NO_THROWN_TEXT = [{ selector: 'ThrowStatement > :matches(Literal, TemplateLiteral)', message: 'Throw an error.' }]

const NO_DYNAMIC_IMPORTS = [{ selector: 'ImportExpression', message: 'it is a way around the restrictions of imports' }]

const globals = (...lists) => [
  'error',
  ...lists.flatMap((list) => Object.entries(list).map(([name, message]) => ({ name, message }))),
]

const FOREIGN_SOURCE = {
  regex: '^@tandem/[^/]+/(src|dist)(/|$)',
  message: 'Enter a package by its index, or by its internal.',
}

function direction(name) {
  const foreign = Object.keys(DIRECTION).filter((other) => other !== name && !DIRECTION[name].includes(other))
  const own = { regex: `^@tandem/${name}(/|$)`, message: 'A package does not import itself by name.' }
  const wrongWay = {
    regex: `^@tandem/(${foreign.join('|')})(/|$)`,
    message: `common <- level <- producer, consumer; common <- testing; all <- cli: ${name} may import ${DIRECTION[name].join(', ') || 'none of ours'}.`,
  }
  return [FOREIGN_SOURCE, own, ...(foreign.length > 0 ? [wrongWay] : [])]
}

/** Only what matches `allowed`; types may come from anywhere. */
const nothingBut = (allowed, message) => ({ regex: `^(?!${allowed})`, allowTypeImports: true, message })

const imports = (patterns, paths = []) => ['error', { patterns, paths }]

const NODE_GLOBALS = Object.fromEntries(
  ['console', 'process', 'performance', 'URL', 'setTimeout', 'clearTimeout'].map((name) => [name, 'readonly']),
)

const TESTS = '**/*.test.ts'

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', 'bench/results/', '.nx/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNever: true, allowNumber: true }],
      '@typescript-eslint/no-unused-vars': 'off', // the compiler says it
      '@typescript-eslint/require-await': 'off', // an interface may be async where one implementation is not
      '@typescript-eslint/only-throw-error': 'off', // `throw state satisfies never` ends a switch
      'no-restricted-syntax': ['error', ...NO_THROWN_TEXT],
      '@typescript-eslint/prefer-promise-reject-errors': 'off', // node-rdkafka's errors are not typed as such
      'import-x/no-cycle': 'error',
      'import-x/no-relative-packages': 'error',
      'import-x/no-self-import': 'error',
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': imports([FOREIGN_SOURCE]) },
  },
  ...Object.keys(DIRECTION).map((name) => ({
    files: [`packages/${name}/src/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': imports(direction(name)) },
  })),
  {
    // The wiring too runs on a Clock, so that the simulator can run it; only the adapters in their folders need not.
    files: ['packages/{producer,consumer}/src/*.ts', 'packages/consumer/src/operators/*.ts'],
    ignores: [TESTS],
    rules: {
      'no-restricted-globals': globals(CLOCKS),
      'no-restricted-properties': ['error', ...NO_RANDOM],
    },
  },
  {
    files: ['packages/common/src/**/*.ts'],
    ignores: ['packages/common/src/clock.ts', TESTS],
    rules: {
      'no-restricted-globals': globals(CLOCKS, OUTSIDES),
      'no-restricted-properties': ['error', ...NO_RANDOM],
      'no-restricted-syntax': ['error', ...NO_THROWN_TEXT, ...NO_DYNAMIC_IMPORTS],
      '@typescript-eslint/no-restricted-imports': imports([
        ...direction('common'),
        nothingBut('\\./|(@msgpack/msgpack|@opentelemetry/api|rxjs)$', 'The vocabulary is pure: no I/O of any kind.'),
      ]),
    },
  },
  ...['producer', 'consumer'].map((name) => ({
    files: [`packages/${name}/src/core/**/*.ts`],
    ignores: [TESTS],
    rules: {
      'no-restricted-globals': globals(CLOCKS, OUTSIDES, PROMISES),
      'no-restricted-properties': ['error', ...NO_RANDOM],
      'no-restricted-syntax': ['error', ...NO_THROWN_TEXT, ...NO_DYNAMIC_IMPORTS, ...NO_PROMISES],
      '@typescript-eslint/no-restricted-imports': imports(
        [
          ...direction(name),
          nothingBut('\\./|@tandem/common/internal$', 'A core imports cores and the vocabulary only.'),
        ],
        [
          {
            name: '@tandem/common/internal',
            importNames: ['systemClock', 'Telemetry'],
            allowTypeImports: true,
            message: 'A core is handed the time, and tells facts by commands.',
          },
        ],
      ),
    },
  })),
  {
    files: [TESTS],
    rules: {
      // An assertion says more of what a value is than its type does.
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unused-expressions': 'off', // expect(x).to.be.empty
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: NODE_GLOBALS },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error' },
  },
)
