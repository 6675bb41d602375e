import Foundation
import Hardware
import Kernels
import Numerics
import TestSupport
import Testing

/// The engine that calls OpenBLAS: right products, and the bits that it promises.
@Suite struct OpenBLASProductTests {
    private func engine(_ team: Team = Team()) throws -> OpenBLASProducts {
        OpenBLASProducts(team, try OpenBLASLibrary.opened.get())
    }

    @Test(arguments: ProductCase.small) func aProductIsTheSumOfProducts(_ p: ProductCase) throws {
        let data = p.data()
        let found = p.run(try engine(), data)
        let places = (0..<p.m).flatMap { i in (0..<p.n).map { (i, $0) } }
        let worst = deviation(
            places.map { Double(found[$0 * p.ldc + $1]) }, from: places.map { p.element($0, $1, data) })
        #expect(worst < 1e-6)
        for i in 0..<p.m {
            for j in p.n..<p.ldc { #expect(found[i * p.ldc + j] == data.c[i * p.ldc + j]) }
        }
    }

    @Test(arguments: ProductCase.large) func aLargeProductIsTheSumOfProductsWhereSampled(_ p: ProductCase) throws {
        let data = p.data()
        let found = p.run(try engine(), data)
        let places = p.sampledPlaces
        let worst = deviation(
            places.map { Double(found[$0 * p.ldc + $1]) }, from: places.map { p.element($0, $1, data) })
        #expect(worst < 2e-6)
    }

    @Test func anEmptyProductTouchesNothingAndAnEmptySumIsZero() throws {
        expectEmptyProductsToDoNothing(try engine())
    }

    @Test func theScaleIsThatOfTheProductOnly() throws {
        let p = ProductCase(transA: false, transB: true, m: 13, n: 37, k: 20, beta: 1)
        let data = p.data()
        let c = p.runSerial(try engine(), data, scale: -1)
        let expected = zip(data.c, p.runSerial(try engine(), data)).map { 2 * Double($0) - Double($1) }
        #expect(deviation(c.map(Double.init), from: expected) < 1e-6)
    }

    /// The same calls give the same bits, with several workers too: what every promise rests on.
    @Test(arguments: ProductCase.large) func theSameAgainGivesTheSameBits(_ p: ProductCase) throws {
        let data = p.data()
        for workers in [1, 3] {
            try withTeam(of: workers) { team in
                let engine = try engine(team)
                let first = p.run(engine, data)
                expectSameBits(p.run(engine, data), first, "\(workers) workers, again")
                expectSameBits(p.runPrepared(engine, data), first, "\(workers) workers, a prepared weight")
            }
        }
    }

    @Test(arguments: ProductCase.small + ProductCase.large)
    func upToSixWorkersGiveTheSameBitsWherePromised(_ p: ProductCase) throws {
        guard try engine().promises.contains(.workers) else { return }
        let data = p.data()
        let alone = p.run(try engine(), data)
        for workers in 2...6 {
            try withTeam(of: workers) { team in
                let engine = try engine(team)
                expectSameBits(p.run(engine, data), alone, "\(workers) workers")
                expectSameBits(p.runPrepared(engine, data), alone, "\(workers) workers, a prepared weight")
            }
        }
        expectSameBits(p.runSerial(try engine(), data), alone, "by one worker alone")
    }

    @Test func whatIsPromisedGoesByTheCoreType() throws {
        let library = try OpenBLASLibrary.opened.get()
        let promises = try engine().promises
        #expect(promises.isSuperset(of: .everyEngine))
        #expect(promises.contains(.workers) == ["Haswell", "Zen"].contains(library.coreType))
        #expect(TileProducts(Team()).promises == .all)
        #expect(promises.text.hasPrefix("stages, schedules, recompute, transports, resume"))
    }

    /// In processes of their own: the library reads its core type once.
    @Test(
        .enabled(if: KernelTable.best.level >= 3, "this CPU has no AVX2"),
        arguments: ["Haswell", "Zen", "SkylakeX"])
    func otherCoreTypesKeepTheirPromises(_ name: String) throws {
        let inner = "GECKO_TEST_CORE_TYPE"
        guard ProcessInfo.processInfo.environment[inner] == nil else { return }
        if name == "SkylakeX", KernelTable.best.level < 4 { return }
        let run = try runProgram(
            "/proc/self/exe", ["--testing-library", "swift-testing", "--filter", "OpenBLASProductTests"],
            environment: ["OPENBLAS_CORETYPE": name, inner: name])
        #expect(run.passed, "\(name): \(run.output.suffix(4000))")
        #expect(run.output.contains("core type \(name)"), "\(run.output.suffix(1000))")
    }

    @Test func theCoreTypeIsThatOfTheEnvironment() throws {
        guard let name = ProcessInfo.processInfo.environment["GECKO_TEST_CORE_TYPE"] else { return }
        #expect(try OpenBLASLibrary.opened.get().coreType == name)
        print("core type \(name)")
    }

    /// What a child process inherits says nothing of the library's threads and kernels.
    @Test func theEnvironmentIsLeftAsItWas() throws {
        _ = try OpenBLASLibrary.opened.get()
        let environment = ProcessInfo.processInfo.environment
        #expect(environment["OPENBLAS_NUM_THREADS"] == nil)
        #expect(environment["OPENBLAS_CORETYPE"] == environment["GECKO_TEST_CORE_TYPE"])
    }

    @Test func bfloat16IsRefused() {
        let error = #expect(throws: MatrixEngineError.self) { try MatrixEngine.openblas.check(.bf16) }
        #expect(error?.description.contains("cblas_sbgemm") == true)
    }

    @Test func aWeightIsUsedWhereItIs() {
        #expect(MatrixEngine.openblas.preparedBytes(depth: 512, columns: 300, .f32) == 0)
        #expect(MatrixEngine.tiles.preparedBytes(depth: 512, columns: 300, .f32) == 4 * 512 * 320)
        #expect(MatrixEngine.tiles.preparedBytes(depth: 511, columns: 300, .bf16) == 4 * 256 * 320)
    }
}
