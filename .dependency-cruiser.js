export default {
  forbidden: [{ name: 'no-circular', severity: 'error', from: {}, to: { circular: true } }],
  options: { tsPreCompilationDeps: true, doNotFollow: { path: ['node_modules', 'dist'] }, enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types','default'] } },
};
