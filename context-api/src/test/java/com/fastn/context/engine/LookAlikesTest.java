package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.WarningIds;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LookAlikesTest {
    private static final String COMPOSED = "caf\u00e9";
    private static final String DECOMPOSED = "cafe\u0301";

    @RegisterExtension
    final TestTree tree = new TestTree();

    private List<StatusWarning> warnings() {
        return tree.runtime.status().warnings();
    }

    private List<LookAlikes.Pair> pairs() {
        return tree.runtime.names().lookAlikes().pairs();
    }

    @Test
    void M6_namesThatLookTheSameAreToldAndNotChanged() {
        tree.open(COMPOSED);
        assertThat(warnings()).isEmpty();
        ContextNode other = tree.open(DECOMPOSED);

        assertThat(tree.root.children()).extracting(child -> child.name()).containsExactly(COMPOSED, DECOMPOSED);
        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        WarningIds.NAMES_LOOK_ALIKE,
                        WarningSeverity.INFO,
                        "Names \"caf\\u{e9}\" and \"cafe\\u{301}\" are two and look the same",
                        "app." + DECOMPOSED,
                        other.id(),
                        "where they come from: of names from outside choose one form, such as that of"
                                + " java.text.Normalizer (NFC)",
                        Duration.ZERO));
        other.close();
        assertThat(warnings())
                .as("the other one bears it")
                .singleElement()
                .satisfies(warning -> assertThat(warning.contextPath()).isEqualTo("app." + COMPOSED));
        assertThat(tree.open("elsewhere").subtreeStatus().warnings()).isEmpty();
    }

    /** Letters of another script, characters that are not drawn, ligatures: in both orders. */
    @ParameterizedTest
    @CsvSource({
        "admin, \u0430dmin",
        "COP, \u0421\u041e\u0420",
        "office, o\ufb03ce",
        "user, us\u200ber",
        "user, us\u00ader",
        "\u212b, \u00c5",
        "\u00fcber, u\u0308ber"
    })
    void M6_aNameMayLookLikeOneThatIsThereOrOneThatComesLater(String name, String other) {
        tree.open(name);
        tree.open(other);
        assertThat(pairs()).containsExactly(new LookAlikes.Pair(name, other));
        tree.open(name);
        tree.open(other);
        assertThat(pairs()).hasSize(1);

        LookAlikes anew = new LookAlikes();
        anew.see(other, n -> false);
        anew.see(name, n -> false);
        assertThat(anew.pairs()).containsExactly(new LookAlikes.Pair(other, name));
    }

    @ParameterizedTest
    @CsvSource({"caf\u00e9, cafe", "\u043c\u0438\u0440, mir", "user, User", "\u540d\u524d, \u540d", "m\u00b2, m2"})
    void M6_namesThatLookDifferentAreNotTold(String name, String other) {
        tree.open(name);
        tree.open(other);
        tree.open(other);
        assertThat(pairs()).isEmpty();
    }

    @Test
    void M6_namesOfCountersAndOperationsAreLookedAtToo() {
        tree.root.incrementTotal(COMPOSED);
        tree.root.incrementTotal(DECOMPOSED);
        assertThat(tree.root.getTotal(COMPOSED)).isEqualTo(1);
        assertThat(warnings()).extracting(StatusWarning::contextPath).containsExactly("app");
    }

    @Test
    void M6_whatIsKeptIsBounded() {
        LookAlikes all = new LookAlikes();
        for (int i = 0; i < 2 * LookAlikes.MOST_PAIRS; i++) {
            all.see(COMPOSED + i, n -> false);
            all.see(DECOMPOSED + i, n -> false);
        }
        assertThat(all.pairs()).hasSize(LookAlikes.MOST_PAIRS);

        LookAlikes full = new LookAlikes();
        for (int i = 0; i < LookAlikes.MOST_NAMES; i++) {
            full.see("\u540d" + i, n -> false);
        }
        full.see(COMPOSED, n -> false);
        full.see(DECOMPOSED, n -> false);
        assertThat(full.pairs()).as("there was no room to look at them").isEmpty();
    }
}
