// The floors of lib/: a room imports from the rooms on lower floors, never from a sibling. One rule a room; npm run check
// applies them.
const floors = [
  ['base'],
  ['native', 'jinja', 'grammar', 'hub'],
  ['reason', 'problems'],
  ['grading', 'convert', 'remote', 'protocol'],
  ['data', 'eval', 'server', 'ai-sdk', 'electron'],
  ['cli'],
]

const rooms = floors.flatMap((floor, height) => {
  const below = floors.slice(0, height).flat()
  return floor.map((room) => ({ room, allowed: [room, ...below] }))
})

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...rooms.map(({ room, allowed }) => ({
      name: `floor-of-${room}`,
      comment: `lib/${room} imports only from ${allowed.map((name) => `lib/${name}`).join(', ')}`,
      severity: 'error',
      from: { path: `^lib/${room}/` },
      to: { path: '^lib/', pathNot: `^lib/(${allowed.join('|')})/` },
    })),
    {
      name: 'room-without-floor',
      comment: 'a folder of lib/ needs its place among the floors in .dependency-cruiser.mjs',
      severity: 'error',
      from: { path: '^lib/[^/]+/', pathNot: `^lib/(${rooms.map(({ room }) => room).join('|')})/` },
      to: {},
    },
    {
      name: 'addon-by-native-only',
      comment: 'only lib/native calls the addon',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/native/' },
      to: { path: '^lib/native/(addon|channel)\\.ts$' },
    },
    {
      name: 'hub-handed-in',
      comment: 'lib/reason is handed what finds a model by its name (resolveModelsWith)',
      severity: 'error',
      from: { path: '^lib/reason/' },
      to: { path: '^lib/hub/' },
    },
    {
      name: 'ai-sdk-types',
      comment: 'lib/ai-sdk alone imports from the AI SDK, and types only',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '@ai-sdk/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ai-sdk-types-by-ai-sdk',
      comment: 'only lib/ai-sdk imports the types of the AI SDK',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/ai-sdk/' },
      to: { path: '@ai-sdk/' },
    },
    {
      name: 'index-without-layers',
      comment: "import 'z1-native' loads nothing that serves other programs",
      severity: 'error',
      from: { path: '^lib/index\\.ts$' },
      to: { path: '^lib/(server|ai-sdk|protocol)/', reachable: true },
    },
    { name: 'no-circle', comment: 'an import circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-what-users-have',
      comment: 'lib/ imports only what package.json gives users: dependencies and optional dependencies',
      severity: 'error',
      // Types alone: those who import z1-native/ai-sdk have the AI SDK, which brings them.
      from: {},
      to: {
        pathNot: '@ai-sdk/provider',
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
      },
    },
    {
      name: 'resolvable',
      comment: 'what is imported is not there',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
}
