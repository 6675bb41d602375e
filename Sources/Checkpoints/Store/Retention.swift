/// Which checkpoints stay.
package struct Retention: Sendable, Equatable {
    /// The newest so many.
    package let keep: Int
    /// For ever, the first of each stretch of so many steps; 0: none.
    package let everyKept: Int

    package init(keep: Int, everyKept: Int) {
        self.keep = max(1, keep)
        self.everyKept = everyKept
    }

    /// Those of the whole checkpoints' steps that need not stay. `newest` and what is newer always stay.
    package func expendable(_ steps: [Int], newest: Int) -> Set<Int> {
        let old = steps.sorted().filter { $0 <= newest }
        let recent = Set(old.suffix(keep)).union([newest])
        var kept = Set<Int>()
        if everyKept > 0 {
            var seen = Set<Int>()
            for step in old where step >= everyKept && seen.insert(step / everyKept).inserted { kept.insert(step) }
        }
        return Set(old).subtracting(recent).subtracting(kept)
    }
}
