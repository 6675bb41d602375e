import Numerics

/// Where each tensor of a stage lies in its store; known from the specs alone, before there is memory.
package struct ParameterLayout: Sendable {
    package let entries: [ParameterStore.Entry]
    /// Floats of the values; of the gradients too.
    package let count: Int
    /// Floats of each moment.
    package let momentCount: Int

    /// - Parameter keepsMoments: by tensor, whether its moments are kept here; nil: all are
    package init(_ specs: [ParameterSpec], keepsMoments: [Bool]? = nil) {
        precondition(keepsMoments == nil || keepsMoments?.count == specs.count, "a word for each tensor")
        var entries: [ParameterStore.Entry] = []
        var (used, moments) = (0, 0)
        for (i, spec) in specs.enumerated() {
            let isKept = keepsMoments?[i] ?? true
            if !spec.joinsPrevious {
                used = Self.aligned(used)
                moments = Self.aligned(moments)
            }
            entries.append(ParameterStore.Entry(spec: spec, offset: used, momentOffset: isKept ? moments : nil))
            used += spec.count
            if isKept { moments += spec.count }
        }
        self.entries = entries
        count = used
        momentCount = moments
    }

    private static func aligned(_ offset: Int) -> Int {
        (offset + FloatBuffer.alignment - 1) / FloatBuffer.alignment * FloatBuffer.alignment
    }
}
