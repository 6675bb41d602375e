import MPI
import Testing

@Suite struct MPILibraryTests {
    @Test(arguments: [
        ("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022", "Open MPI 4.1.4"),
        ("MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n", "MPICH 4.0.2"),
        ("Intel(R) MPI Library 2021.9 for Linux* OS\n", "Intel(R) MPI Library 2021.9"),
        ("MVAPICH2 Version      :\t2.3.7\nMVAPICH2 Release date :\tWed Mar 02 22:00:00 EST 2022", "MVAPICH2 2.3.7"),
        ("MPI VERSION    : CRAY MPICH version 8.1.28.15 (ANL base 3.4a2)\nMPI BUILD INFO", "MPI CRAY MPICH 8.1.28.15"),
        ("a library without a number", "a library without a number"), ("", ""),
    ])
    func theVersionIsANameAndANumber(text: String, version: String) {
        #expect(MPILibrary.version(text) == version)
    }

    /// Known before MPI starts.
    @Test func theLibraryThatIsLoadedIsTheOneBuiltWith() {
        let version = MPIWorld.libraryVersion
        #expect(version.contains("Open MPI") == (MPILibrary.current == .openMPI))
        #expect(version.contains { $0.isNumber })
    }
}
