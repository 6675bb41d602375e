import Testing
import Training

/// Other programs on a run's cores are told once, and again when it has changed much.
@Suite struct CrowdTellerTests {
    private func note(_ core: Int, _ atLeast: Double, _ atMost: Double? = nil, inAll: Double = 0) -> CrowdTeller.Note {
        CrowdTeller.Note(core: core, atLeast: atLeast, atMost: atMost ?? atLeast, inAll: inAll)
    }

    @Test func whatLastsIsToldOnce() {
        var teller = CrowdTeller(namesRanks: false)
        #expect(teller.lines([note(1, 0.02, 0.8)]).isEmpty, "a moment's disturbance")
        #expect(teller.lines([note(1, 0.76)]) == ["core 1: other programs had it for 76 % of the time"])
        for _ in 0..<10 { #expect(teller.lines([note(1, 0.2, 0.9)]).isEmpty, "not always the same") }
        #expect(teller.lines([note(1, 0.25, 0.3)]) == ["core 1: other programs had it for 30 % of the time"])
        #expect(teller.lines([note(1, 0.5, 0.9)]).isEmpty)
        #expect(teller.lines([note(1, 0.6, 0.9)]) == ["core 1: other programs had it for 60 % of the time"])
        #expect(teller.lines([note(0, 0, 0.01)]) == ["core 1: other programs have left it"])
        #expect(teller.lines([note(0, 0.01)]).isEmpty)
        #expect(teller.lines([note(0, 0.5)]) == ["core 0: other programs had it for 50 % of the time"])
        #expect(teller.lastLines().isEmpty, "it was told")
    }

    @Test func aShortRunIsToldAtItsEnd() {
        var teller = CrowdTeller(namesRanks: false)
        #expect(teller.lines([note(1, 0, 0, inAll: 0.5)]).isEmpty)
        #expect(teller.lastLines() == ["core 1: other programs had it for 50 % of the time"])
        #expect(teller.lines([note(1, 0, 0, inAll: 0.03)]).isEmpty)
        #expect(teller.lastLines().isEmpty)
    }

    @Test func ranksOfSeveralProcessesAreNamed() {
        var teller = CrowdTeller(namesRanks: true)
        #expect(
            teller.lines([note(0, 0), note(3, 0.4)]) == ["rank 1: core 3: other programs had it for 40 % of the time"])
        #expect(teller.lines([note(0, 0), note(3, 0.45)]).isEmpty)
    }
}
