# %% [markdown]
# # 7. Training on digits
#
# **Question.** Gradients are all there is to learning: follow them downhill. How far does the two-layer network get on real
# handwriting, and what does it still get wrong?

# %%
import matplotlib.pyplot as plt
import numpy as np

from autotiny import nn

plt.style.use("examples/figures.mplstyle")
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

# %%
epochs = np.arange(1, len(training.history) + 1)
figure, axes = plt.subplots()
axes.semilogy(epochs, [epoch.loss for epoch in training.history], label="training")
axes.semilogy(epochs, [epoch.validation_loss for epoch in training.history], label="held out")
axes.set(xlabel="epoch", ylabel="loss")
axes.legend()
plt.show()

# %% [markdown]
# ## What it gets wrong
#
# **Predict first.** Which digits look alike? 8 and 1, or 9 and 5, written in a hurry on a grid of 8 by 8 pixels.

# %%
predicted = training.predict(test)
wrong = np.flatnonzero(predicted != test.labels)
f"{len(wrong)} of {len(test.labels)} wrong: " + ", ".join(f"{test.labels[i]} read as {predicted[i]}" for i in wrong[:6])

# %%
figure, panels = plt.subplots(1, 4, figsize=(6, 1.9))
for panel, i in zip(panels, wrong, strict=False):
    panel.imshow(test.X[:, i].reshape(8, 8), cmap="gray_r")
    panel.set_title(f"a {test.labels[i]}, read as {predicted[i]}", fontsize=9)
for panel in panels:
    panel.set_axis_off()
plt.show()

# %% [markdown]
# ## To try
#
# 1. Train with `optimiser=nn.Adam()`. Does it need fewer epochs? Is it better in the end?
# 2. Train without hidden layers, `nn.Network((64, 10))`. How much does the hidden layer bring?
# 3. From the shell: `autotiny train` on a table of your own.
#
# <details><summary>Answers</summary>
#
# 1. Not here: it starts slower and ends at 98.1 % of the held-out images, beside 98.3 % of the plain update. Its training loss
#    is a third, 0.001 beside 0.003: it fits the training images better, and the others no better.
# 2. 97.2 %, and a training loss of 0.04. Of 359 held-out images, ten are wrong; with the hidden layer, six.
# 3. `autotiny train table.csv`; `autotiny train --help` lists what it takes.
#
# </details>
