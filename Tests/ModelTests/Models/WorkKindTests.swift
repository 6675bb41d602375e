import Hardware
import Model
import Testing

/// The kinds of work that a breakdown of steps tells apart.
@Suite struct WorkKindTests {
    @Test func kindsHaveCountersAndTitlesOfTheirOwnAndCoverWhatEveryStepHas() {
        for architecture in Architectures.known.all {
            let kinds = architecture.workKinds
            let works = Set(kinds.map(\.work))
            #expect(works.count == kinds.count && Set(kinds.map(\.title)).count == kinds.count)
            #expect(works.isSuperset(of: [.gemm, .elementwise, .optimizer, .communication]))
            #expect(!works.contains(.waiting), "waiting is a core's idle time")
        }
    }

    @Test func aGeckosRowsAreWhatReadersOfItsFilesKnow() {
        #expect(
            GeckoConfiguration.workKinds.map(\.title) == [
                "GEMM", "attention", "EMA", "norms", "memory", "elementwise", "optimizer", "communication",
            ])
    }

    @Test func everythingThatAGeckoDoesIsCountedAsAKindThatItLists() {
        let team = Team()
        let clock = WorkClock(workers: 1, threads: 1)
        team.clock = clock
        clock.enter(.forward)
        _ = SmallModel().result([SmallModel().length], team: team)
        clock.enter(nil)
        let kinds = GeckoConfiguration.workKinds
        for kind in kinds where kind.work != .communication {
            #expect(clock.times[kind.work] > 0, "no time was counted as \(kind.title)")
        }
        let listed = Set(kinds.map(\.work))
        for work in (0..<Work.count).map({ Work(rawValue: $0) }) where !listed.contains(work) {
            #expect(clock.times[work] == 0, "time of counter \(work.rawValue) is in no row")
        }
    }
}
