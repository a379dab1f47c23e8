# %% [markdown]
# # 7. Training on digits
#
# **Question.** Gradients are all there is to learning: follow them downhill. How far does the two-layer network get on real
# handwriting, and what does it still get wrong?

# %%
import numpy as np

from autotiny import nn

train, test = nn.digits().split(0.2, seed=0)
train, test

# %% [markdown]
# **Predict first.** Before training the network guesses: about one image in ten is right.

# %%
training = nn.Training(nn.Network((64, 32, 10), activation="relu", seed=0))
round(training.accuracy(test), 2)

# %% [markdown]
# Sixty passes over the training images, with the plain update $W := W - \alpha\, dW$.

# %%
training.run(train, test, epochs=60)
last = training.history[-1]
print(f"{len(training.history)} epochs, loss {last.loss:.3f}, held-out accuracy {training.accuracy(test):.1%}")

# %% [markdown]
# The loss falls fast, then slowly; the held-out loss follows it and stays above.

# %%
for number in (1, 2, 5, 10, 20, 40, len(training.history)):
    if number <= len(training.history):
        epoch = training.history[number - 1]
        print(
            f"epoch {number:2}   loss {epoch.loss:.3f}   held out {epoch.validation_loss:.3f}   "
            f"accuracy {epoch.validation_accuracy:.1%}"
        )

# %% [markdown]
# ## What it gets wrong
#
# **Predict first.** Which digits look alike? 8 and 1, or 9 and 5, written in a hurry on a grid of 8 by 8 pixels.

# %%
predicted = training.predict(test)
wrong = np.flatnonzero(predicted != test.labels)
f"{len(wrong)} of {len(test.labels)} wrong: " + ", ".join(f"{test.labels[i]} read as {predicted[i]}" for i in wrong[:6])

# %%
SHADES = " .:-=+*#%@"
for i in wrong[:2]:
    print(f"a {test.labels[i]}, read as {predicted[i]}")
    for row in test.X[:, i].reshape(8, 8):
        print("".join(2 * SHADES[int(pixel * 9 / 16)] for pixel in row))

# %% [markdown]
# ## To try
#
# 1. Train with `optimiser=nn.Adam()`. Does it need fewer epochs? Is it better in the end?
# 2. Train without hidden layers, `nn.Network((64, 10))`. How much does the hidden layer bring?
# 3. From the shell: `autotiny train` on a table of your own.
