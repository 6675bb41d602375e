import Kernels
import TestSupport
import Testing

/// Every kernel against its equation in Double, backwards against central differences, at every CPU level this machine
/// runs.
@Suite struct EquationTests {
    @Test(arguments: KernelCases.all)
    func aKernelFollowsItsEquationAndTouchesNothingElse(_ c: KernelCase) {
        let expected = c.expected()
        for kernels in KernelTable.runnable {
            let memory = KernelMemory()
            c.run(kernels, memory)
            #expect(memory.violations.isEmpty, "\(c.testDescription), level \(kernels.level)")
            let results = memory.results
            #expect(Set(results.map(\.name)) == Set(expected.keys))
            for (name, values) in results {
                let worst = deviation(values, from: expected[name] ?? [])
                #expect(
                    worst <= c.tolerance, "\(c.testDescription), level \(kernels.level): \(name) deviates by \(worst)")
            }
        }
    }

    @Test func everyKernelHasCases() {
        // Tiles are tested as the products that they make.
        let fields = Mirror(reflecting: KernelTable.best).children
            .filter { !["level", "tile", "bfloat16Tile"].contains($0.label) }
        // Groups have families, and families kernels; a kernel has no children.
        func names(_ field: Mirror.Child) -> [String] {
            let children = Mirror(reflecting: field.value).children
            return children.isEmpty ? [field.label!] : children.flatMap(names)
        }
        let kernels = fields.flatMap(names)
        #expect(kernels.count > 40)
        #expect(kernels.count == Set(kernels).count)
        #expect(Set(kernels) == Set(KernelCases.all.map(\.kernel)))
    }
}
