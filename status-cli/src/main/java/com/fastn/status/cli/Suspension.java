package com.fastn.status.cli;

/** Ctrl-Z, of which somebody is told who has changed the terminal. */
@FunctionalInterface
interface Suspension {
    /**
     * Tells a holder of the terminal from now on.
     *
     * @param holder is told, on a thread of its own
     * @return what ends that
     */
    Listening tell(Holder holder);

    /** {@return that of this process} */
    static Suspension system() {
        return StopSignal::hear;
    }

    /** {@return one that never comes} */
    static Suspension none() {
        return holder -> () -> {};
    }

    /** Who has changed the terminal. */
    interface Holder {
        /** Gives the terminal back as it was, and leaves it alone. */
        void leave();

        /** Takes the terminal again. */
        void comeBack();

        /** {@return both, of which the first is the last to leave and the first to come back} */
        static Holder of(Holder first, Holder second) {
            return new Holder() {
                @Override
                public void leave() {
                    second.leave();
                    first.leave();
                }

                @Override
                public void comeBack() {
                    first.comeBack();
                    second.comeBack();
                }
            };
        }
    }

    /** That somebody is told. */
    @FunctionalInterface
    interface Listening extends AutoCloseable {
        @Override
        void close();
    }
}
